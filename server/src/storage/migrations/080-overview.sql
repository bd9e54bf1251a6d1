-- When a device last signed in (a session lasts an hour), and what the overviews of people are read by.
alter table devices add column seen_at timestamptz;
create index devices_by_seen on devices (project_id, seen_at);
create index rounds_by_end on rounds (project_id, ended_at);
create index assignments_by_device on assignments (device_id, offered_at);
