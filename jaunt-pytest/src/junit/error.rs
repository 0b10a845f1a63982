//! Why a file is no JUnit XML.

/// Why a file is no JUnit XML.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum JunitError {
    /// It is not XML, it is cut off, or it cannot be read.
    #[error("the JUnit XML is broken at byte {position}")]
    Xml { position: u64, source: quick_xml::Error },

    /// It is XML of some other kind.
    #[error("the XML has no `testsuite`, so it is not JUnit's")]
    NoTestSuite,
}
