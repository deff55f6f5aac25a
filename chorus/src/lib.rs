//! The binary of Chorus: one sub-command a role, the demonstration, the tools.

pub mod city;
