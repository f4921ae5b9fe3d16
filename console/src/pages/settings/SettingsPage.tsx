/** The settings, in parts that the address remembers. */

import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';

import { settingsTexts as texts } from '../../texts/settings.ts';
import { PartTabs } from '../../ui/PartTabs.tsx';
import { CliSetup } from './CliSetup.tsx';
import { General } from './General.tsx';
import { Licences } from './Licences.tsx';

export default function SettingsPage() {
  return (
    <ContentLayout header={<Header variant="h1">{texts.title}</Header>}>
      <PartTabs
        label={texts.parts.label}
        parts={[
          { id: 'general', label: texts.parts.general, content: <General /> },
          { id: 'cli', label: texts.parts.cli, content: <CliSetup /> },
          { id: 'licences', label: texts.parts.licences, content: <Licences /> },
        ]}
      />
    </ContentLayout>
  );
}
