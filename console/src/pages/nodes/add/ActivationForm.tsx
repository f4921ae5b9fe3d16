/** What the activation shall allow. */

import { useState } from 'react';

import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { addNodeTexts as texts } from '../../../texts/add-node.ts';
import { FormPage } from '../../../ui/forms/FormPage.tsx';
import { CallProblem } from '../../start-session/WhyDenied.tsx';
import { TagFields } from '../details/TagsModal.tsx';
import { keyProblem, valueProblem, type Tag } from '../tags.ts';
import { createActivation, DEFAULT_ROLE, type Activation } from './activation.ts';
import { RoleField } from './RoleField.tsx';

/** Source of the limits: the model of `CreateActivation`; AWS SSM API reference for 30 days. */
const LIMIT_MAX = 1000;
const DAYS_MAX = 30;
const NAME_MAX = 256;

export function ActivationForm({ onCreated }: { readonly onCreated: (activation: Activation) => void }) {
  const [role, setRole] = useState(DEFAULT_ROLE);
  const [name, setName] = useState('');
  const [limit, setLimit] = useState('1');
  const [days, setDays] = useState('1');
  const [tags, setTags] = useState<readonly Tag[]>([]);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const problems = {
    role: role.trim() === '' && texts.roleMissing,
    name: name.length > NAME_MAX && texts.nameLong,
    limit: !isWhole(limit, LIMIT_MAX) && texts.limitInvalid,
    days: !isWhole(days, DAYS_MAX) && texts.daysInvalid,
  };
  const areTagsWrong = tags.some((tag, index) => keyProblem(tags, index) ?? valueProblem(tag));

  async function create(): Promise<void> {
    if (areTagsWrong || Object.values(problems).some(Boolean)) {
      return;
    }
    setIsBusy(true);
    setError(undefined);
    try {
      onCreated(await createActivation({ role: role.trim(), name, limit: Number(limit), days: Number(days), tags }));
    } catch (thrown) {
      setError(thrown);
      setIsBusy(false);
    }
  }

  return (
    <FormPage
      texts={texts}
      cancelPath="/nodes"
      isBusy={isBusy}
      problem={error !== undefined && <CallProblem error={error} />}
      onSubmit={() => void create()}
    >
      <Container>
        <SpaceBetween size="l">
          <RoleField role={role} onChange={setRole} problem={problems.role} />
          <FormField label={<>{texts.name} – <i>{texts.optional}</i></>} description={texts.nameHint} errorText={problems.name}>
            <Input value={name} onChange={({ detail }) => setName(detail.value)} />
          </FormField>
          <FormField label={texts.limit} errorText={problems.limit}>
            <Input value={limit} inputMode="numeric" onChange={({ detail }) => setLimit(detail.value)} />
          </FormField>
          <FormField label={texts.days} errorText={problems.days}>
            <Input value={days} inputMode="numeric" onChange={({ detail }) => setDays(detail.value)} />
          </FormField>
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2" description={texts.tagsHint}>{texts.tags}</Header>}>
        <TagFields tags={tags} onChange={setTags} />
      </Container>
    </FormPage>
  );
}

function isWhole(text: string, max: number): boolean {
  return /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}
