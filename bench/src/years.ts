import { openDatabase } from '@starling/server/storage';

/** What a server that has run for years holds. */
export interface Years {
  readonly devices: number;
  /** Of ten devices each; every tenth judges, the others train. */
  readonly rounds: number;
}

/** Writes devices and published rounds of a task into the database that a server has left, up to these numbers. */
export async function fillYears(
  directory: string,
  taskId: string,
  { devices, rounds }: Years,
): Promise<void> {
  const database = await openDatabase({ dataDirectory: directory });
  try {
    await database.query(
      `insert into devices (id, project_id, public_key, platform, sdk_version, labels, seen_at, created_at)
       select 'dev_' || lpad(n::text, 22, '0'), (select id from projects limit 1), n::text,
              (array['android 15', 'android 14', 'ios 18', 'node', 'firefox'])[1 + n % 5], '0.1.' || n % 4,
              jsonb_build_object('ring', (array['beta', 'stable'])[1 + n % 2]),
              now() - n % 500 * interval '1 hour', now() - n % 1000 * interval '1 day'
         from generate_series(1, $1::int) n on conflict do nothing`,
      [devices],
    );
    await database.query(
      `insert into rounds (id, project_id, task_id, sequence, kind, number, state, selection, goal, minimum, target,
                           base_version, bytes_up, metrics, opened_at, training_at, aggregating_at, deadline, ended_at)
       select 'rnd_' || lpad(n::text, 22, '0'), t.project_id, t.id, 1000000 + n, k.kind, n, 'published', '{}', 10, 10, 10,
              t.current_version, 40000, case k.kind when 'training' then jsonb_build_object(
                'devices', 10, 'weight', 640, 'updateNorm', 1.5 / sqrt(n),
                'lossBefore', 2 / sqrt(n), 'lossAfter', 1.8 / sqrt(n),
                'accuracyBefore', 1 - 0.9 / sqrt(n), 'accuracyAfter', 1 - 0.8 / sqrt(n))
              else jsonb_build_object('devices', 10, 'results', jsonb_build_array(
                jsonb_build_object('supportShare', 0.5, 'steps', 0, 'accuracy', 1 - 0.9 / sqrt(n), 'loss', 1 / sqrt(n),
                  'worstDecile', 0.1, 'deciles', '[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]'::jsonb),
                jsonb_build_object('supportShare', 0.5, 'steps', 5, 'accuracy', 1 - 0.8 / sqrt(n), 'loss', 0.9 / sqrt(n),
                  'worstDecile', 0.2, 'deciles', '[0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]'::jsonb))) end,
              at, at + interval '5 seconds', at + interval '20 seconds', at + interval '60 seconds', at + interval '30 seconds'
         from tasks t, generate_series(1, $2::int) n,
              lateral (select case when n % 10 = 0 then 'evaluation' else 'training' end as kind) k,
              lateral (select now() - ($2::int - n) * interval '2 minutes' as at) a
        where t.id = $1 on conflict do nothing`,
      [taskId, rounds],
    );
    await database.query(
      `insert into assignments (id, project_id, task_id, round_id, device_id, state, seed, update_bytes, offered_at,
                                accepted_at, training_at, ready_at, uploaded_at, ended_at)
       select 'asg_' || lpad(n::text || 'x' || m::text, 22, '0'), r.project_id, r.task_id, r.id,
              'dev_' || lpad((1 + (n * 10 + m) % $3::int)::text, 22, '0'), 'counted', 1, 4000, opened_at,
              opened_at + m * interval '0.4 seconds', opened_at + interval '5 seconds',
              opened_at + (15 + m) * interval '1 second', opened_at + (16 + m) * interval '1 second', ended_at
         from generate_series(1, $2::int) n join rounds r on r.id = 'rnd_' || lpad(n::text, 22, '0')
              cross join generate_series(1, 10) m
        where r.task_id = $1 on conflict do nothing`,
      [taskId, rounds, devices],
    );
    await database.query('analyze');
  } finally {
    await database.close();
  }
}
