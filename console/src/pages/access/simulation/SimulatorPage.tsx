/** What would be decided, and why. */

import { useState } from 'react';

import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Autosuggest, { type AutosuggestProps } from '@cloudscape-design/components/autosuggest';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { isAbort } from '../../../api/errors.ts';
import { replaceQuery, useLocation } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { groups, roles, users } from '../iam.ts';
import { AccessTabs } from '../parts/AccessTabs.tsx';
import { allActions } from '../policy/actions.ts';
import { EXAMPLES } from '../policy/examples.ts';
import { PolicyEditor } from '../policy/PolicyEditor.tsx';
import { CHARACTERS_MAX } from '../policy/sizes.ts';
import { actionsOf, queryOf, questionOf, type ContextKey, type Question } from './question.ts';
import { Results } from './Results.tsx';

const texts = accessTexts.simulator;

export default function SimulatorPage() {
  const { query } = useLocation();
  const asked = questionOf(query);
  const [question, setQuestion] = useState(asked);
  const [isOwn, setIsOwn] = useState(false);
  const [document, setDocument] = useState('');
  const [askedDocument, setAskedDocument] = useState('');
  const [count, setCount] = useState(0);
  const change = (changed: Partial<Question>) => setQuestion((now) => ({ ...now, ...changed }));
  const run = (wanted: Question) => {
    setQuestion(wanted);
    setAskedDocument(isOwn ? document : '');
    setCount((now) => now + 1);
    replaceQuery(queryOf(isOwn ? { ...wanted, principal: '' } : wanted));
  };
  const canRun = actionsOf(question).length > 0 && (isOwn ? document.trim() !== '' : question.principal !== '');
  const isAsked = actionsOf(asked).length > 0 && (asked.principal !== '' || askedDocument !== '');
  return (
    <AccessTabs active="simulator">
      <SpaceBetween size="l">
        <Container header={<Header variant="h1" description={texts.description}>{texts.title}</Header>}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (canRun) {
                run(question);
              }
            }}
          >
            <SpaceBetween size="m">
              <FormField label={texts.who}>
                <RadioGroup
                  ariaLabel={texts.who}
                  value={isOwn ? 'own' : 'principal'}
                  onChange={({ detail }) => setIsOwn(detail.value === 'own')}
                  items={[
                    { value: 'principal', label: texts.somebody },
                    { value: 'own', label: texts.custom },
                  ]}
                />
              </FormField>
              {!isOwn && <PrincipalField value={question.principal} onChange={(principal) => change({ principal })} />}
              {isOwn && (
                <FormField label={texts.customLabel} stretch>
                  <PolicyEditor
                    value={document}
                    onChange={setDocument}
                    kind="identity"
                    examples={EXAMPLES}
                    charactersMax={CHARACTERS_MAX.managed}
                  />
                </FormField>
              )}
              <FormField label={texts.actions} constraintText={texts.actionsHint}>
                <Autosuggest
                  value={question.actions}
                  onChange={({ detail }) => change({ actions: detail.value })}
                  options={ACTION_OPTIONS}
                  enteredTextLabel={(value) => value}
                  ariaLabel={texts.actions}
                />
              </FormField>
              <FormField label={texts.resource} constraintText={texts.resourceHint}>
                <Input
                  value={question.resources}
                  onChange={({ detail }) => change({ resources: detail.value })}
                  autoComplete={false}
                  spellcheck={false}
                />
              </FormField>
              <ContextField context={question.context} onChange={(context) => change({ context })} />
              <Button variant="primary" disabled={!canRun} disabledReason={texts.needs}>
                {texts.run}
              </Button>
            </SpaceBetween>
          </form>
        </Container>
        {isAsked && (
          <Results
            question={asked}
            document={askedDocument}
            count={count}
            onAddKey={(key) => change({ context: [...question.context, { key, values: '' }] })}
          />
        )}
      </SpaceBetween>
    </AccessTabs>
  );
}

const ACTION_OPTIONS = allActions().map((action) => ({ value: action }));

interface PrincipalProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function PrincipalField({ value, onChange }: PrincipalProps) {
  const choice = useResource(principals, []);
  return (
    <FormField label={texts.principal} constraintText={texts.whoHint}>
      <Autosuggest
        value={value}
        onChange={({ detail }) => onChange(detail.value)}
        options={choice.value ?? []}
        statusType={choice.isLoading ? 'loading' : 'finished'}
        enteredTextLabel={(text) => text}
        placeholder="arn:aws:iam::…"
        ariaLabel={texts.principal}
      />
    </FormField>
  );
}

/** All who have policies. Who may not list them types an ARN. */
async function principals(signal: AbortSignal): Promise<AutosuggestProps.Options> {
  const option = (Arn: string, name: string) => ({ value: Arn, label: visibleLine(name), description: visibleLine(Arn) });
  const [userList, groupList, roleList] = await Promise.all([
    optional(users(signal)),
    optional(groups(signal)),
    optional(roles(signal)),
  ]);
  const kinds = [
    { label: accessTexts.areas.users, options: userList.map(({ Arn, UserName }) => option(Arn, UserName)) },
    { label: accessTexts.areas.groups, options: groupList.map(({ Arn, GroupName }) => option(Arn, GroupName)) },
    { label: accessTexts.areas.roles, options: roleList.map(({ Arn, RoleName }) => option(Arn, RoleName)) },
  ];
  return kinds.filter(({ options }) => options.length > 0);
}

async function optional<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list;
  } catch (error) {
    if (isAbort(error)) {
      throw error;
    }
    return [];
  }
}

interface ContextProps {
  readonly context: readonly ContextKey[];
  readonly onChange: (context: readonly ContextKey[]) => void;
}

function ContextField({ context, onChange }: ContextProps) {
  const changed = (index: number, change: Partial<ContextKey>) =>
    onChange(context.map((item, at) => (at === index ? { ...item, ...change } : item)));
  return (
    <FormField label={texts.context} description={texts.contextHint} stretch>
      <AttributeEditor
        items={[...context]}
        addButtonText={texts.addKey}
        removeButtonText={texts.removeKey}
        removeButtonAriaLabel={({ key }) => `${texts.removeKey} ${visibleLine(key)}`}
        empty={accessTexts.none}
        onAddButtonClick={() => onChange([...context, { key: '', values: '' }])}
        onRemoveButtonClick={({ detail }) => onChange(context.filter((_, at) => at !== detail.itemIndex))}
        definition={[
          {
            label: texts.key,
            control: ({ key }, index) => (
              <Input value={key} onChange={({ detail }) => changed(index, { key: detail.value })} autoComplete={false} />
            ),
          },
          {
            label: texts.values,
            control: ({ values }, index) => (
              <Input value={values} onChange={({ detail }) => changed(index, { values: detail.value })} autoComplete={false} />
            ),
          },
        ]}
      />
    </FormField>
  );
}
