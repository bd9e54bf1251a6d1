-- How often a closed round was taken in hand to be published: one that cannot be is abandoned in the end.
alter table rounds add column publishing_tries int not null default 0;
