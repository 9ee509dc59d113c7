# A small policy in the shape of the generator's, whole in what a pod can say, for the cases of policy-covers-the-pod: containers skr
# and app in a pod "consumer" of namespace kafka. Container app has two emptyDir volumes, on the guest's disk and in its memory, as the
# generator describes them for confidential guests (genpolicy-settings.json: confidential_emptyDir, emptyDir_memory). Its rules are
# written for these cases.
package agent_policy

import future.keywords.every
import future.keywords.in

default AllowRequestsFailingPolicy := false
default CopyFileRequest := false
default CreateContainerRequest := false
default CreateSandboxRequest := true
default ExecProcessRequest := false
default ReadStreamRequest := false
default SetPolicyRequest := false
default WriteStreamRequest := false

CreateContainerRequest {
    asked := input.OCI
    some container in policy_data.containers
    known := container.OCI
    container.sandbox_pidns == input.sandbox_pidns
    count(input.storages) == count(container.storages)
    every storage in input.storages {
        known_storage(container, storage, annotation(asked, "sandbox-id"))
    }
    every key in ["container-type", "sandbox-namespace"] {
        annotation(known, key) == annotation(asked, key)
    }
    named_alike(known, asked)
    regex.match(annotation(known, "sandbox-name"), annotation(asked, "sandbox-name"))
    known.Root.Readonly == asked.Root.Readonly
    same_process(known.Process, asked.Process, annotation(asked, "sandbox-name"))
    every mount in asked.Mounts {
        known_mount(known, mount)
    }
}

annotation(oci, key) = oci.Annotations[concat("", ["io.kubernetes.cri.", key])]

named_alike(known, asked) {
    annotation(known, "container-name") == annotation(asked, "container-name")
}

named_alike(known, asked) {
    annotation(known, "container-type") == "sandbox"
}

same_process(known, asked, pod) {
    every field in ["Cwd", "NoNewPrivileges", "Terminal"] {
        known[field] == asked[field]
    }
    known.User.UID == asked.User.UID
    known.User.GID == asked.User.GID
    {group | group := known.User.AdditionalGids[_]} == {group | group := asked.User.AdditionalGids[_]}
    [replace(argument, "$(sandbox-name)", pod) | argument := known.Args[_]] == asked.Args
    {name | name := policy_data.common.default_caps[_]} == {name | name := asked.Capabilities.Bounding[_]}
    every variable in asked.Env {
        known_variable(known, variable, pod)
    }
}

known_variable(known, variable, pod) {
    some text in known.Env
    replace(text, "$(sandbox-name)", pod) == variable
}

known_variable(_, variable, _) {
    some pattern in policy_data.request_defaults.CreateContainerRequest.allow_env_regex
    regex.match(replace(pattern, "$(dns_label)", policy_data.common.dns_label), variable)
}

known_storage(container, storage, sandbox) {
    some known in container.storages
    every field in ["driver", "driver_options", "source", "fstype", "options", "fs_group"] {
        known[field] == storage[field]
    }
    pattern := replace(known.mount_point, "$(cpath)", policy_data.common.cpath)
    regex.match(replace(pattern, "$(sandbox-id)", sandbox), storage.mount_point)
}

known_mount(known, mount) {
    some candidate in known.Mounts
    candidate.destination == mount.destination
    candidate.options == mount.options
}

policy_data := {
  "containers": [
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "sandbox",
          "io.kubernetes.cri.sandbox-name": "^consumer$",
          "io.kubernetes.cri.sandbox-namespace": "kafka"
        },
        "Process": {
          "Terminal": false,
          "User": {"UID": 65535, "GID": 0, "AdditionalGids": [0]},
          "Args": ["/pause"],
          "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
          "Cwd": "/",
          "Capabilities": {"Bounding": ["$(default_caps)"], "Effective": ["$(default_caps)"], "Permitted": ["$(default_caps)"]},
          "NoNewPrivileges": false
        },
        "Root": {"Path": "$(root_path)", "Readonly": false},
        "Mounts": []
      },
      "storages": [],
      "sandbox_pidns": false
    },
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "container",
          "io.kubernetes.cri.sandbox-name": "^consumer$",
          "io.kubernetes.cri.sandbox-namespace": "kafka",
          "io.kubernetes.cri.container-name": "skr",
          "io.kubernetes.cri.image-name": "mcr.microsoft.com/aci/skr:2.7"
        },
        "Process": {
          "Terminal": false,
          "User": {"UID": 0, "GID": 0, "AdditionalGids": [0]},
          "Args": ["/bin/skr"],
          "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "SkrSideCarArgs=ewogICAgImNlcnRjYWNoZSI6IHsKCQkiZW5kcG9pbnRfdHlwZSI6ICJMb2NhbFRISU0iLAoJCSJlbmRwb2ludCI6ICIxNjkuMjU0LjE2OS4yNTQvbWV0YWRhdGEvVEhJTS9hbWQvY2VydGlmaWNhdGlvbiIKCX0gIAp9"
          ],
          "Cwd": "/",
          "Capabilities": {"Bounding": ["$(default_caps)"], "Effective": ["$(default_caps)"], "Permitted": ["$(default_caps)"]},
          "NoNewPrivileges": false
        },
        "Root": {"Path": "$(root_path)", "Readonly": false},
        "Mounts": [
          {
            "destination": "/dev/termination-log",
            "source": "$(sfprefix)termination-log$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "rw"]
          },
          {
            "destination": "/var/run/secrets/kubernetes.io/serviceaccount",
            "source": "$(sfprefix)serviceaccount$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "ro"]
          },
          {
            "destination": "/var/run/secrets/azure/tokens",
            "source": "$(sfprefix)tokens$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "ro"]
          },
          {
            "destination": "/opt/confidential-containers/share/kata-containers/reference-info-base64",
            "source": "$(sfprefix)reference-info-base64$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "rw"]
          }
        ]
      },
      "storages": [],
      "sandbox_pidns": false
    },
    {
      "OCI": {
        "Annotations": {
          "io.kubernetes.cri.container-type": "container",
          "io.kubernetes.cri.sandbox-name": "^consumer$",
          "io.kubernetes.cri.sandbox-namespace": "kafka",
          "io.kubernetes.cri.container-name": "app",
          "io.kubernetes.cri.image-name": "registry.example/app:1"
        },
        "Process": {
          "Terminal": false,
          "User": {"UID": 0, "GID": 0, "AdditionalGids": [0]},
          "Args": ["/app", "--name=$(sandbox-name)"],
          "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TOPIC=orders", "POD=$(sandbox-name)"],
          "Cwd": "/",
          "Capabilities": {"Bounding": ["$(default_caps)"], "Effective": ["$(default_caps)"], "Permitted": ["$(default_caps)"]},
          "NoNewPrivileges": false
        },
        "Root": {"Path": "$(root_path)", "Readonly": false},
        "Mounts": [
          {
            "destination": "/dev/termination-log",
            "source": "$(sfprefix)termination-log$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "rw"]
          },
          {
            "destination": "/var/run/secrets/kubernetes.io/serviceaccount",
            "source": "$(sfprefix)serviceaccount$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "ro"]
          },
          {
            "destination": "/var/run/secrets/azure/tokens",
            "source": "$(sfprefix)tokens$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "ro"]
          },
          {
            "destination": "/cache",
            "source": "^$(cpath)/$(sandbox-id)/local/cache$",
            "type_": "local",
            "options": ["rbind", "rprivate", "rw"]
          },
          {
            "destination": "/scratch",
            "source": "^/run/kata-containers/sandbox/ephemeral/scratch$",
            "type_": "bind",
            "options": ["rbind", "rprivate", "rw"]
          }
        ]
      },
      "storages": [
        {
          "driver": "local",
          "driver_options": [],
          "source": "local",
          "fstype": "local",
          "options": ["mode=0777"],
          "mount_point": "^$(cpath)/$(sandbox-id)/local/cache$",
          "fs_group": null
        },
        {
          "driver": "ephemeral",
          "driver_options": [],
          "source": "tmpfs",
          "fstype": "tmpfs",
          "options": [],
          "mount_point": "^/run/kata-containers/sandbox/ephemeral/scratch$",
          "fs_group": null
        }
      ],
      "sandbox_pidns": false
    }
  ],
  "common": {
    "cpath": "/run/kata-containers/shared/containers",
    "root_path": "/run/kata-containers/$(bundle-id)/rootfs",
    "sfprefix": "^$(cpath)/$(bundle-id)-[a-z0-9]{16}-",
    "dns_label": "[a-zA-Z0-9_.-]+",
    "default_caps": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
    "privileged_caps": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"]
  },
  "request_defaults": {"CreateContainerRequest": {"allow_env_regex": ["^HOSTNAME=$(dns_label)$", "^AZURE_CLIENT_ID=[A-Fa-f0-9-]*$"]}}
}
