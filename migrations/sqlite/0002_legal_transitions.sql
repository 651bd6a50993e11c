-- What has ended does not change, and nothing moves where the state diagrams have no arrow.

CREATE TRIGGER attempts_legal_transition BEFORE UPDATE OF state, live, outcome, call_id, sending_at, ended_at ON attempts
WHEN NOT (
    (OLD.state = NEW.state AND OLD.live AND OLD.sending_at IS NEW.sending_at)
    OR (OLD.state || '>' || NEW.state) IN (
        'open>sending', 'open>lapsed',
        'sending>placed', 'sending>not_sent', 'sending>refused', 'sending>unknown',
        'placed>ended',
        'unknown>placed', 'unknown>not_placed', 'unknown>ended'))
BEGIN
    SELECT RAISE(ABORT, 'illegal transition of an attempt');
END;

CREATE TRIGGER attempts_born_open BEFORE INSERT ON attempts
WHEN NEW.state <> 'open'
BEGIN
    SELECT RAISE(ABORT, 'an attempt begins open');
END;

CREATE TRIGGER contacts_legal_transition BEFORE UPDATE OF state ON contacts
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN (
    'waiting>active', 'waiting>stopped',
    'active>waiting', 'active>done', 'active>stopped', 'active>review',
    'review>waiting', 'review>active', 'review>done', 'review>stopped')
BEGIN
    SELECT RAISE(ABORT, 'illegal transition of a contact');
END;
