import { Box, Group, Stack, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { Round } from '@starling/protocol';
import type { RoundAnatomy, RoundArrivals } from '@starling/protocol/api';
import { useTranslations } from 'use-intl';
import { Explained } from '../../components/figure.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { useNow } from '../../components/time.tsx';
import { Countdown } from './countdown.tsx';
import classes from './lane-chart.module.css';
import { lanesOf, placeOf, ticksOf, type Lane, type LaneFrame } from './lanes.ts';

const height = 112;

/** A round as three lanes over one axis of time; while it runs, now is at the right. */
export function Lanes({
  round,
  anatomy,
  arrivals,
  heardAt,
}: {
  round: Round;
  anatomy: RoundAnatomy;
  arrivals: RoundArrivals;
  /** When this machine heard of `arrivals`, by its own clock. */
  heardAt: number;
}) {
  const { ref, width } = useElementSize();
  const now = useNow(1000);
  const runs = round.endedAt === null;
  const endMs = Math.max(1, arrivals.nowMs + (runs ? Math.max(0, now - heardAt) : 0));
  const frame = { width, height, endMs };
  const wanted = { target: anatomy.target, goal: round.goal, minimum: round.minimum };
  const lanes = lanesOf(arrivals, wanted, frame);
  return (
    <Box className={classes.lanes}>
      {lanes.map((lane, index) => (
        <div key={lane.phase} className={classes.lane}>
          <LaneHead lane={lane} round={round} anatomy={anatomy} heardAt={heardAt} />
          <Box ref={index === 0 ? ref : undefined} className={classes.place}>
            {width > 0 && <Drawing lane={lane} frame={frame} runs={runs} />}
          </Box>
        </div>
      ))}
      <div className={classes.lane}>
        <div />
        <Box className={classes.axis}>{width > 0 && <Axis frame={frame} runs={runs} />}</Box>
      </div>
    </Box>
  );
}

function LaneHead({
  lane,
  round,
  anatomy,
  heardAt,
}: {
  lane: Lane;
  round: Round;
  anatomy: RoundAnatomy;
  heardAt: number;
}) {
  const words = useTranslations('rounds.lanes');
  const phases = useTranslations('states.round');
  const { count, duration } = useQuantities();
  const { ready, round: left } = anatomy.remainingMs;
  const here = round.state === lane.phase;
  const remaining = !here ? null : lane.phase === 'training' ? (ready ?? left) : left;
  const [first] = lane.levels;
  return (
    <Stack gap={2} className={classes.head} data-here={here || undefined}>
      <Text size="sm" fw={650}>
        <Explained meaning={words(`meaning.${lane.phase}`)} from="getArrivals">
          {phases(lane.phase)}
        </Explained>
      </Text>
      <Group gap={6} align="baseline" wrap="nowrap">
        <Text fw={650} size="xl" lh={1.1}>
          {count(lane.front.count)}
        </Text>
        <Text size="sm" c="dimmed">
          {words('of', { value: first?.value ?? 0 })}
        </Text>
      </Group>
      <Text size="xs" c="dimmed">
        {words(lane.front.station as 'accepted')}
        {lane.behind &&
          ` · ${words(`behind.${lane.behind.station as 'selected'}`, { count: lane.behind.count })}`}
      </Text>
      <Text size="sm" mih={20}>
        {remaining !== null ? (
          <Countdown remainingMs={remaining} heardAt={heardAt} />
        ) : lane.ms === null ? (
          <Text span c="dimmed" inherit>
            {words('notBegun')}
          </Text>
        ) : round.endedAt !== null || lane.phase === 'selecting' ? (
          duration(lane.ms)
        ) : null}
      </Text>
    </Stack>
  );
}

function Drawing({ lane, frame, runs }: { lane: Lane; frame: LaneFrame; runs: boolean }) {
  const words = useTranslations('rounds.lanes');
  const { span, front, behind, levels } = lane;
  const said = [
    `${words(front.station as 'accepted')}: ${front.count}`,
    ...levels.map(({ name, value }) => words(`level.${name}`, { value })),
  ].join(', ');
  return (
    <svg width={frame.width} height={frame.height} role="img" aria-label={said} className={classes.drawing}>
      {span && (
        <rect
          className={classes.span}
          x={span.from}
          width={Math.max(2, span.to - span.from)}
          y={0}
          height={frame.height}
          rx={4}
        />
      )}
      {levels.map(({ name, value, y, textY }) => (
        <g key={name} className={classes.level} data-level={name}>
          <line x1={0} x2={frame.width} y1={y} y2={y} />
          <text x={6} y={textY} aria-hidden>
            {words(`level.${name}`, { value })}
          </text>
        </g>
      ))}
      {behind && <path d={behind.path} className={classes.behind} />}
      <path d={front.path} className={classes.front} />
      {runs && (
        <line
          className={classes.now}
          x1={placeOf(frame.endMs, frame)}
          x2={placeOf(frame.endMs, frame)}
          y1={0}
          y2={frame.height}
        />
      )}
    </svg>
  );
}

function Axis({ frame, runs }: { frame: LaneFrame; runs: boolean }) {
  const words = useTranslations('rounds.lanes');
  const { duration } = useQuantities();
  const end = placeOf(frame.endMs, frame);
  return (
    <svg width={frame.width} height={22} aria-hidden className={classes.ticks}>
      {ticksOf(frame)
        .map((ms) => ({ ms, x: placeOf(ms, frame) }))
        .filter(({ x }) => x < end - 112)
        .map(({ ms, x }) => (
          <text key={ms} x={x} y={15} textAnchor={ms === 0 ? 'start' : 'middle'}>
            {ms === 0 ? words('opened') : duration(ms)}
          </text>
        ))}
      <text x={end} y={15} textAnchor="end" className={classes.end}>
        {words(runs ? 'now' : 'ended', { after: duration(frame.endMs) })}
      </text>
    </svg>
  );
}
