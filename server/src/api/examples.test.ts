import { endpoints, type Endpoint } from '@starling/protocol/api';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { exampleAnswer } from './examples.ts';

describe('an example of the OpenAPI document', () => {
  it.each(Object.entries<Endpoint>(endpoints))(
    'fits the schema of %s',
    (_name, { answer, body, example }) => {
      const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, useDefaults: true });
      const shown = exampleAnswer(answer, example);
      expect(
        ajv.validate(answer, structuredClone(shown)),
        `${ajv.errorsText()}: ${JSON.stringify(shown)}`,
      ).toBe(true);
      expect(JSON.stringify(shown).length).toBeGreaterThan(10);
      if (body && example !== undefined) {
        expect(ajv.validate(body, structuredClone(example)), ajv.errorsText()).toBe(true);
      }
    },
  );

  it('has the values that the request gave, where the answer has them too', () => {
    const { answer, example } = endpoints.inviteMember;
    expect(exampleAnswer(answer, example)).toMatchObject({ email: 'ada@example.com', role: 'operator' });
  });
});
