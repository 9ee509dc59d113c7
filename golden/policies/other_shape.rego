package agent_policy

policy_data := {"containers": {"app": {}}}
