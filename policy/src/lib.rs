//! Reading of the security policies that confidential pods carry.
