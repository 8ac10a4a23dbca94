//! The files of the web app that were built in; none when the program was built without it.

include!(concat!(env!("OUT_DIR"), "/web.rs"));
