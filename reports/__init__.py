"""The pages: a pure function of committed records and published figures."""
