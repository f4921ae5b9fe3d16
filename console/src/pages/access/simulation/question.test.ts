import { describe, expect, it } from 'vitest';

import { actionsOf, entriesOf, nodesOf, queryOf, questionOf, resourcesOf, withTags, type Question } from './question.ts';

const ALICE = 'arn:aws:iam::000000000000:user/alice';
const NODE = 'arn:aws:ssm:us-east-1:000000000000:managed-instance/mi-0123456789abcdef0';

const QUESTION: Question = {
  principal: ALICE,
  actions: 'ssm:StartSession, ssm:TerminateSession',
  resources: `${NODE} *`,
  context: [{ key: 'ssm:resourceTag/team', values: 'a=b' }],
};

it('the address has the question, both ways', () => {
  expect(questionOf(queryOf(QUESTION))).toEqual(QUESTION);
  expect(questionOf(new URLSearchParams())).toEqual({ principal: '', actions: '', resources: '*', context: [] });
});

it('actions and resources are lists', () => {
  expect(actionsOf(QUESTION)).toEqual(['ssm:StartSession', 'ssm:TerminateSession']);
  expect(resourcesOf(QUESTION)).toEqual([NODE, '*']);
  expect(resourcesOf({ ...QUESTION, resources: ' ' })).toEqual(['*']);
});

describe('the context', () => {
  it('has lists where there are several values, or where a key is one', () => {
    const entries = entriesOf([
      { key: 'aws:SourceIp', values: '10.0.0.1' },
      { key: 'aws:TagKeys', values: 'env' },
      { key: 'aws:PrincipalTag/team', values: 'a, b' },
      { key: ' ', values: 'x' },
    ]);
    expect(entries).toEqual([
      { ContextKeyName: 'aws:SourceIp', ContextKeyType: 'string', ContextKeyValues: ['10.0.0.1'] },
      { ContextKeyName: 'aws:TagKeys', ContextKeyType: 'stringList', ContextKeyValues: ['env'] },
      { ContextKeyName: 'aws:PrincipalTag/team', ContextKeyType: 'stringList', ContextKeyValues: ['a', 'b'] },
      { ContextKeyName: 'postern:Explain', ContextKeyType: 'string', ContextKeyValues: ['true'] },
    ]);
  });

  it('gets the tags of a node, unless they are given', () => {
    const tags = [
      { Key: 'Team', Value: 'web' },
      { Key: 'env', Value: 'dev' },
    ];
    expect(withTags(QUESTION.context, tags)).toEqual([
      { key: 'ssm:resourceTag/team', values: 'a=b' },
      { key: 'ssm:resourceTag/env', values: 'dev' },
      { key: 'aws:ResourceTag/env', values: 'dev' },
    ]);
  });
});

it('only nodes have the tags of nodes', () => {
  expect(nodesOf(QUESTION)).toEqual(['mi-0123456789abcdef0']);
  expect(nodesOf({ ...QUESTION, resources: 'arn:aws:ssm:*:*:managed-instance/*' })).toEqual([]);
});
