//! From what was typed to the command that does it.

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::commands::login;
use crate::commands::{
    apply, backup, campaigns, check, completions, contacts, demo, dnc, erase, events, export, hours, import, init,
    lanes, migrate, pause, presets, preview, quarantine, review, run, runs, sandbox, serve, status, stop, test_call,
    token, verify, webhooks, why,
};
use crate::failure::Failure;

/// Does what was asked and returns the exit code.
pub async fn dispatch(cli: Cli) -> Result<u8, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Demo(args) => demo::demo(common, args).await,
        Command::Init(args) => init::init(common, args),
        Command::Check(args) => check::check(common, args),
        Command::Preview(args) => preview::preview(common, args),
        Command::TestCall(args) => test_call::test_call(common, args).await,
        Command::Run(args) => Box::pin(run::run(common, args)).await,
        Command::Serve(args) => serve::serve(common, args.clone()).await,
        Command::Stop(args) => stop::stop(common, args).await,
        Command::Start => stop::start(common).await,
        Command::Status(args) => status::status(common, args).await,
        Command::Why(args) => why::why(common, args).await,
        Command::Export(args) => export::export(common, args).await,
        Command::Plan(args) => apply::plan(common, args).await,
        Command::Apply(args) => apply::apply(common, args).await,
        Command::Campaigns => campaigns::campaigns(common).await,
        Command::Pause(args) => pause::pause(common, args).await,
        Command::Resume(args) => pause::resume(common, args).await,
        Command::Cancel(args) => pause::cancel(common, args).await,
        Command::Import(args) => import::import(common, args).await,
        Command::Imports(args) => import::imports(common, args).await,
        Command::Rejects(args) => import::rejects(common, args).await,
        Command::Contacts(args) => contacts::contacts(common, args).await,
        Command::Dnc(args) => dnc::dnc(common, args).await,
        Command::Review(args) => review::review(common, args).await,
        Command::Quarantine(args) => quarantine::quarantine(common, args).await,
        Command::Erase(args) => erase::erase(common, args).await,
        Command::Backup(args) => backup::backup(common, args).await,
        Command::Lanes(args) => lanes::lanes(common, args).await,
        Command::Events(args) => events::events(common, args).await,
        Command::Login(args) => login::login(common, args).await,
        Command::Token(args) => token::token(common, args).await,
        Command::Webhooks(args) => webhooks::webhooks(common, args).await,
        Command::Verify(args) => verify::verify(common, args).await,
        Command::Runs(args) => runs::runs(common, args).await,
        Command::Presets => presets::presets(common),
        Command::Hours(args) => hours::hours(common, args),
        Command::Sandbox(args) => sandbox::sandbox(args).await,
        Command::Migrate => migrate::migrate(common).await,
        Command::Completions(args) => completions::completions(args, Cli::command()),
        Command::Man(args) => completions::man(args, Cli::command()),
    }
}
