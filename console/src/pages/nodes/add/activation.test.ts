import { expect, test } from 'vitest';

import { amazonAgentLine, posternAgentLine } from './activation.ts';

const server = { publicUrl: 'https://postern.example:8443', region: 'eu-central-1', caFingerprintSha256: 'AB:CD' };
const activation = { id: 'b3fe0153-c4f1-4bea-84d6-c73ef76adb74', code: 'a/b+c$(id)', limit: 1 };

test('one line registers postern-agent, whatever the code is made of', () => {
  expect(posternAgentLine(server, activation)).toBe(
    'postern-agent register --endpoint https://postern.example:8443 --ca-fingerprint AB:CD --region eu-central-1 ' +
      "--activation-id b3fe0153-c4f1-4bea-84d6-c73ef76adb74 --activation-code 'a/b+c$(id)' && systemctl enable --now postern-agent",
  );
});

test('a public certificate authority needs no fingerprint', () => {
  expect(posternAgentLine({ ...server, caFingerprintSha256: '' }, activation)).not.toContain('fingerprint');
});

test('AWS’s agent takes its own options', () => {
  expect(amazonAgentLine(server, activation)).toContain("amazon-ssm-agent -register -code 'a/b+c$(id)' -id b3fe0153");
});
