import { expect, test } from 'vitest';

import { parametersOf, parseDocument, problemOfValue } from './document.ts';

const document = parseDocument(
  'Example',
  JSON.stringify({
    sessionType: 'InteractiveCommands',
    description: 'Runs a command.',
    parameters: {
      command: { type: 'StringList', description: 'Lines.' },
      port: { type: 'String', default: '80', allowedPattern: '^[0-9]+$' },
      quiet: { type: 'Boolean', default: false },
      size: { type: 'String', allowedValues: ['small', 'large'], default: 'small' },
      odd: 7,
    },
  }),
);

test('a document is read into what the form shows', () => {
  expect(document.sessionType).toBe('InteractiveCommands');
  expect(document.parameters.map(({ name, type, default: standard }) => [name, type, standard])).toEqual([
    ['command', 'StringList', undefined],
    ['port', 'String', '80'],
    ['quiet', 'Boolean', 'false'],
    ['size', 'String', 'small'],
    ['odd', 'String', undefined],
  ]);
});

test('only what differs from the document is sent', () => {
  expect(parametersOf(document, { command: 'uname -a\n\nid', port: '80', quiet: 'true', size: 'small' })).toEqual({
    command: ['uname -a', 'id'],
    quiet: ['true'],
  });
});

test.each([
  ['command', '', 'missing'],
  ['command', 'id', undefined],
  ['port', '', undefined],
  ['port', '22', undefined],
  ['port', '22; id', 'not-allowed'],
])('%s = %j', (name, value, problem) => {
  const parameter = document.parameters.find((candidate) => candidate.name === name);
  expect(parameter && problemOfValue(parameter, value)).toBe(problem);
});

test('a pattern that the browser cannot read is the server’s to check', () => {
  const [parameter] = parseDocument('X', '{"parameters":{"a":{"type":"String","allowedPattern":"(?P<x>a"}}}').parameters;
  expect(parameter && problemOfValue(parameter, 'b')).toBeUndefined();
});
