/** What the commands for a new gateway are made of. */
export interface JoinCommandFacts {
  /** `pcj1.…`: letters, digits, `.`, `_` and `-`. */
  readonly token: string;
  /** Where gateways find control planes. */
  readonly controlPlanes: readonly { readonly host: string; readonly port: number }[];
  /** Of the control plane; the new gateway should have the same. */
  readonly softwareVersion: string;
}

/** Ready to be pasted into a shell. */
export interface JoinCommands {
  readonly node: string;
  readonly systemd: string;
  readonly docker: string;
  readonly compose: string;
  readonly kubernetes: string;
}

/**
 * A command for a gateway that is to join, for each way of running one. In each the token goes through a file that only its owner can read, and never
 * through a process's arguments or a URL; nothing else in it is secret. All but those for containers are to be run in a clone of the repository.
 */
export function joinCommands(facts: JoinCommandFacts): JoinCommands {
  return {
    node: nodeCommand(facts),
    systemd: systemdCommand(facts),
    docker: dockerCommand(facts),
    compose: composeCommand(facts),
    kubernetes: kubernetesCommand(facts),
  };
}

function nodeCommand(facts: JoinCommandFacts): string {
  return text(
    ...writeSecret('portcullis-join-token', facts.token),
    `node bin/portcullis.js gateway --data-dir ./gateway-data --control-plane ${addresses(facts)} --join-token-file portcullis-join-token`,
  );
}

/** The unit runs as a user of its own, whom systemd makes, and hands the token over as a credential. */
function systemdCommand(facts: JoinCommandFacts): string {
  return text(
    'sudo install -d -m 0755 /opt/portcullis',
    'sudo cp -a bin src package.json package-lock.json /opt/portcullis/',
    '(cd /opt/portcullis && sudo npm ci --omit=dev --ignore-scripts)',
    // Whatever the umask was that the clone was made with.
    'sudo chmod -R a+rX /opt/portcullis',
    'sudo install -d -m 0700 /etc/portcullis',
    "sudo sh -c 'umask 077; cat > /etc/portcullis/join-token' <<'END'",
    facts.token,
    'END',
    "sudo tee /etc/systemd/system/portcullis-gateway.service > /dev/null <<'END'",
    '[Unit]',
    `Description=Portcullis gateway ${facts.softwareVersion}`,
    'After=network-online.target',
    'Wants=network-online.target',
    '',
    '[Service]',
    'DynamicUser=yes',
    'StateDirectory=portcullis-gateway',
    'StateDirectoryMode=0700',
    // The folder of the program is read-only to the unit.
    'CacheDirectory=portcullis-gateway',
    'Environment=NODE_COMPILE_CACHE=%C/portcullis-gateway',
    'WorkingDirectory=/opt/portcullis',
    'LoadCredential=join-token:/etc/portcullis/join-token',
    `ExecStart=/usr/bin/env node bin/portcullis.js gateway --data-dir \${STATE_DIRECTORY} --log-file - --control-plane ${addresses(facts)} --join-token-file \${CREDENTIALS_DIRECTORY}/join-token`,
    'Restart=on-failure',
    'RestartSec=5',
    'TimeoutStopSec=45',
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'LimitNOFILE=1048576',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    'END',
    'sudo systemctl daemon-reload',
    'sudo systemctl enable --now portcullis-gateway',
  );
}

function dockerCommand(facts: JoinCommandFacts): string {
  return text(
    ...buildImage(facts),
    ...writeSecret('portcullis-join-token', facts.token),
    'docker volume create portcullis-gateway',
    'docker run -d --name portcullis-gateway --restart unless-stopped --user 0 --stop-timeout 45 \\',
    '  -p 9080:9080 -p 9443:9443 -p 127.0.0.1:9091:9091 \\',
    '  -v portcullis-gateway:/data \\',
    '  -v "$PWD/portcullis-join-token:/run/secrets/join-token:ro" \\',
    `  ${imageOf(facts)} \\`,
    `  gateway --allow-root --data-dir /data/portcullis --log-file - --metrics-listen 0.0.0.0 --control-plane ${addresses(facts)} --join-token-file /run/secrets/join-token`,
  );
}

function composeCommand(facts: JoinCommandFacts): string {
  return text(
    ...buildImage(facts),
    ...writeSecret('portcullis-join-token', facts.token),
    "cat > portcullis-gateway.yaml <<'END'",
    'services:',
    '  portcullis-gateway:',
    `    image: ${imageOf(facts)}`,
    '    user: "0"',
    `    command: ["gateway", "--allow-root", "--data-dir", "/data/portcullis", "--log-file", "-", "--metrics-listen", "0.0.0.0", "--control-plane", "${addresses(facts)}", "--join-token-file", "/run/secrets/join-token"]`,
    '    ports: ["9080:9080", "9443:9443", "127.0.0.1:9091:9091"]',
    '    volumes: ["data:/data"]',
    '    secrets: ["join-token"]',
    '    restart: unless-stopped',
    '    stop_grace_period: 45s',
    'secrets:',
    '  join-token:',
    '    file: ./portcullis-join-token',
    'volumes:',
    '  data:',
    'END',
    'docker compose -f portcullis-gateway.yaml up -d',
  );
}

/** A StatefulSet, because each instance keeps an identity of its own. */
function kubernetesCommand(facts: JoinCommandFacts): string {
  return text(
    '# Build the image as for Docker and bring it to where the cluster finds it.',
    "kubectl apply -f - <<'END'",
    'apiVersion: v1',
    'kind: Secret',
    'metadata: { name: portcullis-join-token }',
    'stringData:',
    `  join-token: "${facts.token}"`,
    '---',
    'apiVersion: v1',
    'kind: Service',
    'metadata: { name: portcullis-gateway }',
    'spec:',
    '  selector: { app: portcullis-gateway }',
    '  ports:',
    '    - { name: http, port: 80, targetPort: 9080 }',
    '    - { name: https, port: 443, targetPort: 9443 }',
    '---',
    'apiVersion: apps/v1',
    'kind: StatefulSet',
    'metadata: { name: portcullis-gateway }',
    'spec:',
    '  serviceName: portcullis-gateway',
    '  replicas: 1',
    '  selector: { matchLabels: { app: portcullis-gateway } }',
    '  template:',
    '    metadata:',
    '      labels: { app: portcullis-gateway }',
    '      annotations: { prometheus.io/scrape: "true", prometheus.io/port: "9091", prometheus.io/path: /apisix/prometheus/metrics }',
    '    spec:',
    '      terminationGracePeriodSeconds: 60',
    '      securityContext: { runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 }',
    '      containers:',
    '        - name: gateway',
    `          image: ${imageOf(facts)}`,
    `          args: ["gateway", "--data-dir", "/data/portcullis", "--log-file", "-", "--status-listen", "0.0.0.0", "--metrics-listen", "0.0.0.0", "--drain-delay", "10", "--control-plane", "${addresses(facts)}", "--join-token-file", "/join/join-token"]`,
    '          ports: [{ containerPort: 9080 }, { containerPort: 9443 }, { name: metrics, containerPort: 9091 }]',
    '          readinessProbe: { httpGet: { path: /status/ready, port: 7085 } }',
    '          livenessProbe: { httpGet: { path: /status, port: 7085 }, failureThreshold: 6 }',
    '          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }',
    '          volumeMounts: [{ name: data, mountPath: /data }, { name: join, mountPath: /join, readOnly: true }]',
    '      volumes: [{ name: join, secret: { secretName: portcullis-join-token, defaultMode: 288 } }]',
    '  volumeClaimTemplates:',
    '    - metadata: { name: data }',
    '      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: 1Gi } } }',
    'END',
  );
}

/** From the clone, because the version must fit and no registry is needed then. */
function buildImage(facts: JoinCommandFacts): readonly string[] {
  return [
    `docker build -t ${imageOf(facts)} -f - . <<'END'`,
    'FROM node:26-bookworm-slim',
    'WORKDIR /opt/portcullis',
    'COPY package.json package-lock.json ./',
    'RUN npm ci --omit=dev --ignore-scripts && mkdir -p -m 0777 node_modules/.cache/portcullis',
    'COPY bin ./bin',
    'COPY src ./src',
    // Files keep the modes of the clone, and in Kubernetes their reader is not root.
    'RUN chmod -R a+rX bin src package.json package-lock.json',
    // Kubernetes has probes of its own and does not look at this one.
    `HEALTHCHECK CMD ["node", "-e", "fetch('http://127.0.0.1:7085/status').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]`,
    'ENTRYPOINT ["node", "bin/portcullis.js"]',
    'END',
  ];
}

/** A here-document: what it holds is in no process's arguments. */
function writeSecret(file: string, token: string): readonly string[] {
  return [`(umask 077; cat > ${file}) <<'END'`, token, 'END'];
}

function imageOf({ softwareVersion }: JoinCommandFacts): string {
  return `portcullis:${softwareVersion}`;
}

function addresses({ controlPlanes }: JoinCommandFacts): string {
  return controlPlanes.map(({ host, port }) => `https://${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
}

function text(...lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
