import { describe, expect, test } from 'vitest';

import { diagnose, EXAMPLES, fieldIn, pathIn, serverDiagnostic } from './content.ts';

describe('a document', () => {
  test('that cannot be read is marked where it breaks', () => {
    const [fault] = diagnose('{\n  "a": ,\n}', 'JSON', undefined);
    expect(fault?.line).toBe(2);
    expect(diagnose('a: [', 'YAML', undefined)).toEqual([]);
    expect(diagnose('  ', 'JSON', 'anything')).toEqual([]);
  });

  test('that the server refuses is marked at the field that it names', () => {
    const text = '{\n  "inputs": {\n    "idleSessionTimeout": "90"\n  }\n}';
    const refusal = 'The content of the document is not valid: inputs.idleSessionTimeout: "90" is not a number of minutes from 1 to 60.';
    expect(serverDiagnostic(text, refusal)).toMatchObject({ line: 3, severity: 'error' });
    expect(serverDiagnostic('a: [\n', 'the document is not YAML: error: line 2 column 1: unclosed')).toMatchObject({ line: 2, column: 1 });
  });

  test.each([
    ['The content of the document is not valid: inputs.kmsKeyId: "x" is not the ID.', 'inputs.kmsKeyId', 'kmsKeyId'],
    ['The content of the document is not valid: inputs.shellProfile.linux: 513 characters.', 'inputs.shellProfile.linux', 'linux'],
    ['The content of the document is not valid: inputs.color is not a field of session documents.', 'inputs.color', 'color'],
    ['The content of the document is not valid: mainSteps is not a field of session documents.', 'mainSteps', 'mainSteps'],
    ['The content is that of the latest version.', undefined, undefined],
  ])('%s', (message, path, field) => {
    expect(pathIn(message)).toBe(path);
    expect(fieldIn(message)).toBe(field);
  });

  test('has examples that are JSON', () => {
    for (const { content } of EXAMPLES) {
      expect(diagnose(content, 'JSON', undefined)).toEqual([]);
    }
  });
});
