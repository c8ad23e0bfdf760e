// A program that sends by one of the real clients for Node, a step for each line on its standard input.
//
// node in_node.cjs FOLDER WHICH URL KEY USER DEVICE; the clients are installed in FOLDER.
'use strict'
const {createRequire} = require('node:module')
const path = require('node:path')
const readline = require('node:readline')

const [folder, which, url, key, user, device] = process.argv.slice(2)
const installed = createRequire(path.join(folder, 'package.json'))
const order = {order_id: `order-${user}`, total: 12.5}
const traits = {email: `${user}@example.com`}

const segmentLike = (client, end) => ({
  anonymous: () => client.track({anonymousId: device, event: 'Viewed'}),
  login: () => client.identify({userId: user, anonymousId: device, traits}),
  purchase: () => client.track({userId: user, anonymousId: device, event: 'Order Completed', properties: order}),
  logout: () => client.track({userId: user, anonymousId: device, event: 'Signed Out'}),
  end,
})

const clients = {
  segment() {
    const {Analytics} = installed('@segment/analytics-node')
    const client = new Analytics({writeKey: key, host: url, flushInterval: 100, maxRetries: 60})
    return segmentLike(client, () => client.closeAndFlush({timeout: 200_000}))
  },
  rudderstack() {
    const Analytics = installed('@rudderstack/rudder-sdk-node')
    const client = new Analytics(key, {
      dataPlaneUrl: url, flushInterval: 100, retryCount: 1_000, axiosRetryConfig: {retryDelay: () => 300}, logLevel: 'none',
    })
    // Its flush returns before a batch has arrived that is being sent again, so it is asked until nothing is on its way.
    let sent = 0
    let arrived = 0
    const counted = Object.fromEntries(
      ['track', 'identify'].map((name) => [name, (message) => {
        sent += 1
        client[name](message, () => { arrived += 1 })
      }]),
    )
    return segmentLike(counted, () => until(() => arrived === sent, () => client.flush().catch(() => {})))
  },
  snowplow() {
    const {newTracker, buildStructEvent, buildSelfDescribingEvent} = installed('@snowplow/node-tracker')
    let sent = 0
    let arrived = 0
    const tracker = newTracker({namespace: 'clients', appId: 'shop'}, {
      endpoint: `${url}/${key}`, bufferSize: 1, onRequestSuccess: (events) => { arrived += events.length },
    })
    tracker.setDomainUserId(device)
    const track = (event) => { sent += 1; tracker.track(event) }
    const act = (category, action) => track(buildStructEvent({category, action}))
    const event = {schema: 'iglu:com.example/order_completed/jsonschema/1-0-0', data: order}
    return {
      anonymous: () => act('shop', 'Viewed'),
      login: () => { tracker.setUserId(user); act('account', 'Signed In') },
      purchase: () => track(buildSelfDescribingEvent({event})),
      logout: () => act('account', 'Signed Out'),
      // What failed waits for the next flush.
      end: () => until(() => arrived === sent, () => tracker.flush()),
    }
  },
}

async function until(done, meanwhile) {
  while (!done()) {
    await meanwhile()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function main() {
  const steps = clients[which]()
  for await (const line of readline.createInterface({input: process.stdin})) {
    await steps[line]()
    process.stdout.write(`${line}\n`)
  }
  process.exit(0)
}

main()
