//! Whole dialers under good and bad days: one scenario a file, named by what must hold.

mod a_busy_number_is_called_again_under_one_cap;
mod a_down_provider_makes_contacts_wait;
mod a_fault_of_the_lane_costs_no_contact_an_attempt;
mod a_lost_answer_is_found_and_never_redialled;
mod a_row_without_a_column_goes_to_review;
mod a_second_run_dials_nobody;
mod an_unusable_database_dials_nobody;
mod calls_stay_inside_the_window;
mod kill_at_any_moment;
mod limits_hold_in_every_window;
mod priorities_are_strict_and_equals_share;
mod samples_run;
mod termination_leaves_nothing_sending;
mod throttling_makes_it_slower_not_fewer;
