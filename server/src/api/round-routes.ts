import { anatomyOf } from '../coordinator/anatomy.ts';
import { arrivalsOf } from '../coordinator/arrivals.ts';
import { abortRound, closeRoundNow, extendRound, ownedRound } from '../coordinator/round-control.ts';
import { roundDetail } from '../coordinator/views.ts';
import type { Api, ApiServices } from './http.ts';
import { serve } from './serve.ts';

/** Rounds: what happened in them, and an operator's hand on them. */
export function addRoundRoutes(api: Api, { coordinator: { context } }: ApiServices): void {
  const { database } = context;
  serve(api, 'getRound', async ({ caller, params }) =>
    roundDetail(database, await ownedRound(database, caller.projectId, params.id)),
  );
  serve(api, 'getAnatomy', async ({ caller, params }) =>
    anatomyOf(database, await ownedRound(database, caller.projectId, params.id)),
  );
  serve(api, 'getArrivals', async ({ caller, params }) =>
    arrivalsOf(database, await ownedRound(database, caller.projectId, params.id)),
  );
  serve(api, 'extendRound', ({ caller, params, body, commit }) =>
    extendRound(context, caller.projectId, params.id, body.byMs, commit),
  );
  serve(api, 'closeRound', ({ caller, params }) => closeRoundNow(context, caller.projectId, params.id));
  serve(api, 'abortRound', ({ caller, params }) => abortRound(context, caller.projectId, params.id));
}
