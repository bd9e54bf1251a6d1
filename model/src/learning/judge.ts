import type { Params } from '../parameters/layout.ts';
import type { Examples, Judgement, Program } from '../program/program.ts';

/**
 * How well parameters do on examples, for example a personal model on the query.
 * @throws ExamplesMismatch, ParamsMismatch
 */
export function judge(program: Program, params: Params, examples: Examples): Judgement {
  return program.evaluate(params, examples);
}
