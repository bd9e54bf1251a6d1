-- Groups of secure tasks: their phases have deadlines, and end with the process that holds their masked sums.
alter table groups add column secure boolean not null default false;
alter table groups add column deadline timestamptz;
create index secure_groups_due on groups (deadline) where secure and ended_at is null;
create index assignments_by_group on assignments (group_id);
