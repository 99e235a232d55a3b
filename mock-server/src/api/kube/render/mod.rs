//! From facts to objects of the API.
