package agent_policy

default AllowRequestsFailingPolicy := true
default CreateContainerRequest := true
default ExecProcessRequest := true
default SetPolicyRequest := true
