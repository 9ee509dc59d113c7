package agent_policy

default CreateContainerRequest := false
policy_data := {"containers": [
