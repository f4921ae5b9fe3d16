// Decides requests with @cloud-copilot/iam-simulate: a line of JSON in, a line of JSON out.
//
// A tool of the tests, in a process of its own: that package is under the AGPL, and nothing of it is linked or copied.
// The package's `runUnsafeSimulation` leaves session policies out, so this calls what it calls, which takes them.

import { createInterface } from 'node:readline'

const PACKAGE = new URL('./node_modules/@cloud-copilot/', import.meta.url)
const load = (path) => import(new URL(path, PACKAGE))
const { authorize } = await load('iam-simulate/dist/esm/core_engine/CoreSimulatorEngine.js')
const { AwsRequestImpl } = await load('iam-simulate/dist/esm/request/request.js')
const { RequestContextImpl } = await load('iam-simulate/dist/esm/requestContext.js')
const { DiscoveryContextKeyConstraints } = await load('iam-simulate/dist/esm/context_keys/discoveryContextKeyConstraints.js')
const { loadPolicy } = await load('iam-policy/dist/esm/index.js')

const VERDICTS = { Allowed: 'Allow', ImplicitlyDenied: 'ImplicitDeny', ExplicitlyDenied: 'ExplicitDeny' }

function decide(given) {
  const policies = (list) => list.map((policy, index) => loadPolicy(policy, { name: `${index}` }))
  const level = (list, index) => ({ orgIdentifier: `${index}`, policies: policies(list) })
  const optional = (policy) => (policy ? loadPolicy(policy, { name: '0' }) : undefined)
  const resource = { resource: given.resource, accountId: given.resourceAccount }
  const context = new RequestContextImpl(given.context)
  const { result } = authorize({
    // An action without a resource is one that only `*` describes.
    request: new AwsRequestImpl(given.principal, resource, given.action, context, given.resource === '*'),
    identityPolicies: policies(given.identity),
    permissionBoundaries: given.boundary ? policies([given.boundary]) : undefined,
    sessionPolicy: optional(given.session),
    resourcePolicy: optional(given.resourcePolicy),
    serviceControlPolicies: given.guardrails.map(level),
    resourceControlPolicies: [],
    vpcEndpointPolicies: undefined,
    simulationParameters: {
      simulationMode: 'Strict',
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([])
    },
    serviceSettings: { s3: {} }
  })
  return VERDICTS[result]
}

for await (const line of createInterface({ input: process.stdin })) {
  const { number, case: given } = JSON.parse(line)
  let theirs
  try {
    theirs = decide(given)
  } catch (error) {
    theirs = `error: ${error.message}`
  }
  process.stdout.write(JSON.stringify({ number, theirs }) + '\n')
}
