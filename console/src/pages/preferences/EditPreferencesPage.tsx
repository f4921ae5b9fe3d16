/** The preferences as a form. Each field says what is wrong with it while one writes. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';

import { ApiError } from '../../api/errors.ts';
import { Loading } from '../../app/Loading.tsx';
import { notify } from '../../app/notifications.ts';
import { href, navigate } from '../../router/location.ts';
import { partTexts } from '../../texts/parts.ts';
import { preferencesTexts as texts } from '../../texts/preferences.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { FormPage } from '../../ui/forms/FormPage.tsx';
import { useAction } from '../../ui/forms/useAction.ts';
import { useResource } from '../../ui/resource.ts';
import { visible } from '../../ui/visible.ts';
import { pathIn } from '../documents/content.ts';
import { createDocument, PREFERENCES, replaceDocument } from '../documents/document.ts';
import { documentPath } from '../documents/paths.ts';
import { loadPreferences } from './load.ts';
import { preferencesPaths } from './paths.ts';
import { fieldAt, problemsOf, RECORDINGS, writtenPreferences, type Field, type Preferences, type PreferencesDocument } from './preferences.ts';
import { GROUPS, recordingText } from './shown.tsx';

export default function EditPreferencesPage() {
  const loaded = useResource(loadPreferences, []);
  if (loaded.value === undefined) {
    return loaded.error === undefined ? <Loading /> : <Failure error={loaded.error} retry={loaded.reload} />;
  }
  const { isOwn, read } = loaded.value;
  if (!read) {
    return (
      <Alert type="info" action={<Button href={href(documentPath(PREFERENCES))}>{texts.openDocument}</Button>}>
        {texts.asDocument}
      </Alert>
    );
  }
  return <Edit isOwn={isOwn} read={read} />;
}

interface EditProps {
  readonly isOwn: boolean;
  readonly read: PreferencesDocument;
}

function Edit({ isOwn, read }: EditProps) {
  const [preferences, setPreferences] = useState(read.preferences);
  const [refused, setRefused] = useState<{ readonly field: Field; readonly value: string | boolean; readonly message: string }>();
  const action = useAction();
  const own = problemsOf(preferences);
  const problemAt = (field: Field) =>
    own[field] ?? (refused?.field === field && refused.value === preferences[field] ? visible(refused.message) : undefined);
  const isChanged = JSON.stringify(preferences) !== JSON.stringify(read.preferences);
  const save = () =>
    action.run(async () => {
      try {
        const content = writtenPreferences(read.document, preferences);
        await (isOwn ? replaceDocument(PREFERENCES, content, 'JSON') : createDocument(PREFERENCES, content, 'JSON'));
      } catch (error) {
        const field = error instanceof ApiError ? fieldAt(pathIn(error.message)) : undefined;
        if (field !== undefined && error instanceof ApiError) {
          setRefused({ field, value: preferences[field], message: error.message });
        }
        throw error;
      }
      notify({ type: 'success', header: texts.saved });
      navigate(preferencesPaths.all);
    });
  return (
    <FormPage
      texts={{ title: texts.editTitle, description: texts.editDescription, submit: partTexts.forms.save, cancel: partTexts.forms.cancel }}
      cancelPath={preferencesPaths.all}
      isBusy={action.isBusy}
      isDisabled={!isChanged || Object.keys(own).length > 0}
      problem={action.error !== undefined && <Failure error={action.error} />}
      onSubmit={() => void save()}
    >
      {GROUPS.map(({ id, fields }) => (
        <Container key={id} header={<Header variant="h2" description={texts.about[id]}>{texts.groups[id]}</Header>}>
          <SpaceBetween size="m">
            {fields.map((field) => (
              <PreferenceField
                key={field}
                field={field}
                preferences={preferences}
                problem={problemAt(field)}
                onChange={(changed) => setPreferences({ ...preferences, ...changed })}
              />
            ))}
          </SpaceBetween>
        </Container>
      ))}
    </FormPage>
  );
}

interface FieldProps {
  readonly field: Field;
  readonly preferences: Preferences;
  readonly problem: string | undefined;
  readonly onChange: (changed: Partial<Preferences>) => void;
}

function PreferenceField({ field, preferences, problem, onChange }: FieldProps) {
  const value = preferences[field];
  const set = (changed: string | boolean) => onChange({ [field]: changed });
  if (typeof value === 'boolean') {
    return (
      <Toggle checked={value} onChange={({ detail }) => set(detail.checked)} description={texts.hints[field]}>
        {texts.fields[field]}
      </Toggle>
    );
  }
  if (field === 'recording') {
    const options = RECORDINGS.map((recording) => ({ value: recording, label: recordingText(recording) }));
    return (
      <FormField label={texts.fields[field]} description={texts.hints[field]} errorText={problem}>
        <Select
          selectedOption={options.find((option) => option.value === value) ?? null}
          options={options}
          onChange={({ detail }) => set(detail.selectedOption.value ?? value)}
        />
      </FormField>
    );
  }
  const isLong = field === 'linuxProfile' || field === 'windowsProfile';
  const isNumber = field === 'idleSessionTimeout' || field === 'maxSessionDuration';
  return (
    <FormField label={texts.fields[field]} description={texts.hints[field]} errorText={problem}>
      {isLong ? (
        <Textarea value={value} rows={3} spellcheck={false} onChange={({ detail }) => set(detail.value)} />
      ) : (
        <Input
          value={value}
          inputMode={isNumber ? 'numeric' : 'text'}
          autoComplete={false}
          spellcheck={false}
          onChange={({ detail }) => set(detail.value)}
        />
      )}
    </FormField>
  );
}
