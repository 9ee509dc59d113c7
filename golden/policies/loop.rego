package agent_policy

import future.keywords.in

digits := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

SetPolicyRequest {
    some a in digits
    some b in digits
    some c in digits
    some d in digits
    some e in digits
    some f in digits
    some g in digits
    a + b + c + d + e + f + g > 99
}
