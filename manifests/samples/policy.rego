# A small policy for the sample pods, written by hand to be read: which containers the guest may create, and with what.
# A policy for production comes from the generator of your platform (genpolicy, `az confcom katapolicygen`): it also measures image
# layers, mounts, users and capabilities, which this one leaves open.
#
# Every byte of this file is measured. After a change: base64 -w0 policy.rego for the pods' annotation, and
# `countersign allow` (or sha256sum policy.rego) for the allow-list.
package agent_policy

import future.keywords.every
import future.keywords.in

# What the host may ask of the guest. A request that is not named here is refused.
default CreateContainerRequest := false
default CreateSandboxRequest := true
default DestroySandboxRequest := true
default GetOOMEventRequest := true
default GuestDetailsRequest := true
default OnlineCPUMemRequest := true
default RemoveContainerRequest := true
default SignalProcessRequest := true
default StartContainerRequest := true
default StatsContainerRequest := true
default TtyWinResizeRequest := true
default UpdateInterfaceRequest := true
default UpdateRoutesRequest := true
default WaitProcessRequest := true

# No file from the host, no shell, no other policy, and nothing read from or written to a process (kubectl exec, logs, attach).
default CopyFileRequest := false
default ExecProcessRequest := false
default ReadStreamRequest := false
default SetPolicyRequest := false
default WriteStreamRequest := false

# A container may be created if one of policy_data has its annotations (type, name, image) and arguments, and knows every variable
# of its environment.
CreateContainerRequest {
    some known in policy_data.containers
    every key, value in known.OCI.Annotations {
        input.OCI.Annotations[key] == value
    }
    known.OCI.Process.Args == input.OCI.Process.Args
    every variable in input.OCI.Process.Env {
        is_known(variable, known.OCI.Process.Env)
    }
}

is_known(variable, environment) {
    variable in environment
}

# What Kubernetes and the workload identity webhook set in every container.
is_known(variable, _) {
    some pattern in policy_data.environment_patterns
    regex.match(pattern, variable)
}

policy_data := {
  "environment_patterns": [
    "^HOSTNAME=kafka-golang-consumer$",
    "^[A-Z][A-Z0-9_]*_SERVICE_HOST=[0-9a-f.:]+$",
    "^[A-Z][A-Z0-9_]*_SERVICE_PORT(_[A-Z0-9_]+)?=[0-9]+$",
    "^[A-Z][A-Z0-9_]*_PORT(_[0-9]+_(TCP|UDP))?=(tcp|udp)://[0-9a-f.:\\[\\]]+$",
    "^[A-Z][A-Z0-9_]*_PORT_[0-9]+_(TCP|UDP)_(PROTO|PORT|ADDR)=[0-9a-z.:]+$",
    "^AZURE_(CLIENT_ID|TENANT_ID)=[0-9a-f-]+$",
    "^AZURE_AUTHORITY_HOST=https://[a-z.]+/$",
    "^AZURE_FEDERATED_TOKEN_FILE=/var/run/secrets/azure/(tokens|wi)/[a-z-]+$"
  ],
  "containers": [
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "sandbox"
        },
        "Process": {
          "Args": ["/pause"],
          "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        }
      }
    },
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "container",
          "io.kubernetes.cri.container-name": "skr",
          "io.kubernetes.cri.image-name": "mcr.microsoft.com/aci/skr:2.7"
        },
        "Process": {
          "Args": ["/bin/skr"],
          "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SkrSideCarArgs=ewogICAgImNlcnRjYWNoZSI6IHsKCQkiZW5kcG9pbnRfdHlwZSI6ICJMb2NhbFRISU0iLAoJCSJlbmRwb2ludCI6ICIxNjkuMjU0LjE2OS4yNTQvbWV0YWRhdGEvVEhJTS9hbWQvY2VydGlmaWNhdGlvbiIKCX0gIAp9"
          ]
        }
      }
    },
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "container",
          "io.kubernetes.cri.container-name": "kafka-golang-consumer",
          "io.kubernetes.cri.image-name": "mcr.microsoft.com/acc/samples/kafka/consumer:1.0"
        },
        "Process": {
          "Args": ["/consume"],
          "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SkrClientKID=kafka-encryption-demo",
            "SkrClientMAAEndpoint=sharedeus2.eus2.test.attest.azure.net",
            "SkrClientAKVEndpoint=my-vault.vault.azure.net",
            "TOPIC=kafka-demo-topic"
          ]
        }
      }
    }
  ]
}
