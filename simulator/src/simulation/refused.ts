import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** A simulation that cannot be run as it was asked for. */
export class SimulationRefused extends Error {
  override readonly name = 'SimulationRefused';
  readonly code:
    'simulation-invalid' | 'simulation-unsupported' | 'simulation-too-few-devices' | 'simulation-step-failed';

  constructor(code: SimulationRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** A document that fits its schema, with defaults filled in. @throws SimulationRefused `simulation-invalid` */
export function readDocument<T extends TSchema>(schema: T, json: unknown, what: string): Static<T> {
  const value = Value.Default(schema, Value.Clone(json));
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  throw new SimulationRefused(
    'simulation-invalid',
    `${what}${first?.instancePath ?? ''} ${first?.message ?? 'is malformed'}.`,
  );
}
