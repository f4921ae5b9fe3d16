/** Adding nodes: an activation first, then the line to paste, then the nodes as they come. */

import { useState } from 'react';

import SpaceBetween from '@cloudscape-design/components/space-between';

import type { Activation } from './activation.ts';
import { ActivationForm } from './ActivationForm.tsx';
import { InstallSteps } from './InstallSteps.tsx';
import { NewNodes } from './NewNodes.tsx';

export default function AddNodePage() {
  const [activation, setActivation] = useState<Activation>();
  if (!activation) {
    return <ActivationForm onCreated={setActivation} />;
  }
  return (
    <SpaceBetween size="l">
      <InstallSteps activation={activation} />
      <NewNodes activationId={activation.id} />
    </SpaceBetween>
  );
}
