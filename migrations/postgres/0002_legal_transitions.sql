-- What has ended does not change, and nothing moves where the state diagrams have no arrow.
-- The conditions stand in WHEN, so that a legal change costs no function call.

CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

CREATE TRIGGER attempts_legal_transition BEFORE UPDATE OF state, live, outcome, call_id, sending_at, ended_at ON attempts
FOR EACH ROW WHEN (NOT (
    (OLD.state = NEW.state AND OLD.live AND OLD.sending_at IS NOT DISTINCT FROM NEW.sending_at)
    OR (OLD.state || '>' || NEW.state) IN (
        'open>sending', 'open>lapsed',
        'sending>placed', 'sending>not_sent', 'sending>refused', 'sending>unknown',
        'placed>ended',
        'unknown>placed', 'unknown>not_placed', 'unknown>ended')))
EXECUTE FUNCTION refuse_transition('illegal transition of an attempt');

CREATE TRIGGER attempts_born_open BEFORE INSERT ON attempts
FOR EACH ROW WHEN (NEW.state <> 'open')
EXECUTE FUNCTION refuse_transition('an attempt begins open');

CREATE TRIGGER contacts_legal_transition BEFORE UPDATE OF state ON contacts
FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'waiting>active', 'waiting>stopped',
    'active>waiting', 'active>done', 'active>stopped', 'active>review',
    'review>waiting', 'review>active', 'review>done', 'review>stopped'))
EXECUTE FUNCTION refuse_transition('illegal transition of a contact');
