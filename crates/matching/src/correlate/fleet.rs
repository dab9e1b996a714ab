//! Many assets at once.
