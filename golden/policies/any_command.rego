package agent_policy

# A debugging leftover: whatever the host asks to run in a container, it may.
default ExecProcessRequest := true
