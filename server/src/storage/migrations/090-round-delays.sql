-- Rounds of a task that fail one after the other wait longer and longer before they ask devices.
alter table rounds add column offers_from timestamptz;
