-- What an erased device contributed stays in counts without its name; of the device itself, its id and that it was erased.
alter table assignments alter column device_id drop not null;
alter table devices add column erased_at timestamptz;
