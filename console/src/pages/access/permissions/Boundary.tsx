/** What somebody may do at most. */

import { useState } from 'react';

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

import { notify } from '../../../app/notifications.ts';
import { href } from '../../../router/location.ts';
import { accessTexts } from '../../../texts/access.ts';
import { partTexts } from '../../../texts/parts.ts';
import { useResource } from '../../../ui/resource.ts';
import { visibleLine } from '../../../ui/visible.ts';
import { removeBoundary, setBoundary, type Bounded } from '../holder.ts';
import { isOfAws, policies } from '../iam.ts';
import { ConfirmAction } from '../../../ui/forms/ConfirmAction.tsx';
import { Failure } from '../../../ui/denial/Failure.tsx';
import { FormModal } from '../../../ui/forms/FormModal.tsx';
import { useAction } from '../../../ui/forms/useAction.ts';
import { policyPath } from '../paths.ts';

const texts = accessTexts.permissions;

interface Props {
  readonly of: Bounded;
  readonly arn: string | undefined;
  readonly onChange: () => void;
}

export function Boundary({ of, arn, onChange }: Props) {
  const [open, setOpen] = useState<'set' | 'remove'>();
  const close = () => setOpen(undefined);
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={texts.boundaryDescription}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {arn !== undefined && <Button onClick={() => setOpen('remove')}>{texts.removeBoundary}</Button>}
              <Button onClick={() => setOpen('set')}>{arn === undefined ? texts.setBoundary : texts.changeBoundary}</Button>
            </SpaceBetween>
          }
        >
          {texts.boundary}
        </Header>
      }
    >
      {arn === undefined ? (
        <Box color="text-body-secondary">{texts.boundaryNone}</Box>
      ) : (
        <Link href={href(policyPath(arn))}>{visibleLine(arn.split('/').at(-1) ?? arn)}</Link>
      )}
      {open === 'set' && <SetBoundary of={of} onChange={onChange} onClose={close} />}
      {open === 'remove' && (
        <ConfirmAction
          title={texts.removeBoundary}
          body={texts.boundaryNone}
          confirmText={texts.removeBoundary}
          doneText={texts.boundaryRemoved}
          onConfirm={() => removeBoundary(of)}
          onDone={() => {
            close();
            onChange();
          }}
          onClose={close}
        />
      )}
    </Container>
  );
}

interface SetProps {
  readonly of: Bounded;
  readonly onChange: () => void;
  readonly onClose: () => void;
}

function SetBoundary({ of, onChange, onClose }: SetProps) {
  const choice = useResource((signal) => policies(signal), []);
  const [arn, setArn] = useState<string>();
  const action = useAction();
  const save = async () => {
    if (arn !== undefined && (await action.run(() => setBoundary(of, arn)))) {
      notify({ type: 'success', header: texts.boundarySet });
      onClose();
      onChange();
    }
  };
  const options = (choice.value ?? []).map(({ PolicyName = '', Arn = '' }) => ({
    value: Arn,
    label: visibleLine(PolicyName),
    description: isOfAws(Arn) ? accessTexts.ofAws : accessTexts.ofAccount,
  }));
  return (
    <FormModal
      title={texts.setBoundary}
      submitText={partTexts.forms.save}
      action={action}
      isReady={arn !== undefined}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {choice.error !== undefined && <Failure error={choice.error} retry={choice.reload} />}
      <FormField label={texts.boundary} description={texts.boundaryDescription}>
        <Select
          selectedOption={options.find(({ value }) => value === arn) ?? null}
          options={options}
          filteringType="auto"
          statusType={choice.isLoading ? 'loading' : 'finished'}
          placeholder={accessTexts.simulator.choose}
          onChange={({ detail }) => setArn(detail.selectedOption.value)}
        />
      </FormField>
    </FormModal>
  );
}
