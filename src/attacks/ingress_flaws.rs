//! The flaws of ingress-nginx that run code in its controller: which versions have them.
//!
//! Data. Ranges are from the CVE records and the release notes.

/// A version: major, minor and patch.
pub(super) type Version = (u32, u32, u32);

/// A flaw: its number, and from which version on, until before which, each branch has it.
pub(super) struct Flaw {
    pub(super) id: &'static str,
    affected: &'static [(Version, Version)],
}

const START: Version = (0, 0, 0);

/// Flaws that whoever writes an Ingress uses.
pub(super) const BY_INGRESS: &[Flaw] = &[
    Flaw { id: "CVE-2021-25746", affected: &[(START, (1, 2, 0))] },
    Flaw { id: "CVE-2023-5043", affected: &[(START, (1, 9, 0))] },
    Flaw { id: "CVE-2025-24514", affected: &[(START, (1, 11, 5)), ((1, 12, 0), (1, 12, 1))] },
    Flaw { id: "CVE-2026-24512", affected: &[(START, (1, 13, 7)), ((1, 14, 0), (1, 14, 3))] },
    Flaw { id: "CVE-2026-3288", affected: &[(START, (1, 13, 8)), ((1, 14, 0), (1, 14, 4))] },
];

/// The flaw that whoever reaches the admission webhook uses.
pub(super) const BY_ADMISSION: Flaw =
    Flaw { id: "CVE-2025-1974", affected: &[(START, (1, 11, 5)), ((1, 12, 0), (1, 12, 1))] };

impl Flaw {
    /// Whether a version has the flaw.
    pub(super) fn has(&self, version: Version) -> bool {
        self.affected.iter().any(|(from, before)| (*from..*before).contains(&version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_fixed_by_its_own_release() {
        let flaw = BY_INGRESS.iter().find(|f| f.id == "CVE-2026-3288").unwrap();
        for (version, has) in [
            ((1, 13, 7), true),
            ((1, 13, 8), false),
            ((1, 14, 0), true),
            ((1, 14, 4), false),
            ((1, 15, 0), false),
        ] {
            assert_eq!(flaw.has(version), has, "{version:?}");
        }
        assert!(BY_ADMISSION.has((1, 12, 0)) && BY_ADMISSION.has((1, 11, 4)));
        assert!(!BY_ADMISSION.has((1, 11, 5)) && !BY_ADMISSION.has((1, 12, 1)));
    }
}
