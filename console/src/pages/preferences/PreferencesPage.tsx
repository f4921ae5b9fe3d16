/** The preferences that hold, what they mean, and their versions. */

import { useState } from 'react';

import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { call } from '../../api/call.ts';
import * as ssm from '../../api/generated/ssm.ts';
import { Loading } from '../../app/Loading.tsx';
import { href } from '../../router/location.ts';
import { documentsTexts } from '../../texts/documents.ts';
import { preferencesTexts as texts } from '../../texts/preferences.ts';
import { Failure } from '../../ui/denial/Failure.tsx';
import { ConfirmAction } from '../../ui/forms/ConfirmAction.tsx';
import { PartTabs } from '../../ui/PartTabs.tsx';
import { useResource } from '../../ui/resource.ts';
import { PREFERENCES } from '../documents/document.ts';
import { documentPath } from '../documents/paths.ts';
import { Versions } from '../documents/Versions.tsx';
import { loadPreferences } from './load.ts';
import { preferencesPaths } from './paths.ts';
import type { Preferences } from './preferences.ts';
import { GROUPS, shown } from './shown.tsx';

export default function PreferencesPage() {
  const loaded = useResource(loadPreferences, []);
  const [isRestoring, setIsRestoring] = useState(false);
  const { value, error, reload } = loaded;
  const actions = value && (
    <SpaceBetween direction="horizontal" size="xs">
      {value.isOwn && <Button onClick={() => setIsRestoring(true)}>{texts.restore}</Button>}
      {value.read && (
        <Button variant="primary" href={href(preferencesPaths.edit)}>
          {texts.edit}
        </Button>
      )}
    </SpaceBetween>
  );
  return (
    <ContentLayout header={<Header variant="h1" description={texts.description} actions={actions}>{texts.title}</Header>}>
      <SpaceBetween size="l">
        {error !== undefined && <Failure error={error} retry={reload} />}
        {value === undefined && error === undefined && <Loading />}
        {value && !value.isOwn && <Alert type="info">{texts.builtIn}</Alert>}
        {value && !value.read && (
          <Alert type="info" action={<Button href={href(documentPath(PREFERENCES))}>{texts.openDocument}</Button>}>
            {texts.asDocument}
          </Alert>
        )}
        {value && (
          <PartTabs
            label={texts.title}
            parts={[
              ...(value.read
                ? [{ id: 'settings', label: texts.settings, content: <Settings preferences={value.read.preferences} /> }]
                : []),
              ...(value.isOwn
                ? [
                    {
                      id: 'versions',
                      label: documentsTexts.versions.title,
                      content: <Versions key={value.version} name={PREFERENCES} onChange={reload} />,
                    },
                  ]
                : []),
            ]}
          />
        )}
        {isRestoring && (
          <ConfirmAction
            title={texts.restoreTitle}
            body={texts.restoreBody}
            confirmText={texts.restore}
            doneText={texts.restored}
            onConfirm={async () => void (await call(ssm.DeleteDocument, { Name: PREFERENCES }))}
            onDone={() => {
              setIsRestoring(false);
              reload();
            }}
            onClose={() => setIsRestoring(false)}
          />
        )}
      </SpaceBetween>
    </ContentLayout>
  );
}

function Settings({ preferences }: { readonly preferences: Preferences }) {
  return (
    <SpaceBetween size="l">
      {GROUPS.map(({ id, fields }) => (
        <Container key={id} header={<Header variant="h2" description={texts.about[id]}>{texts.groups[id]}</Header>}>
          <KeyValuePairs
            columns={3}
            items={fields.map((field) => ({ label: texts.fields[field], value: shown(preferences, field) }))}
          />
        </Container>
      ))}
    </SpaceBetween>
  );
}
