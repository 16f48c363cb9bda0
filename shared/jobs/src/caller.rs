//! On whose behalf a call is made, and what that lets it see and touch. The one place that decides
//! about tenants; refuses to know how a caller proves who it is.

use crate::error::Error;
use crate::spec::CustomerId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A service without keys, where everybody may do everything.
    Anyone,
    Admin,
    Customer(CustomerId),
}

impl Caller {
    /// May do what concerns all customers.
    pub const fn is_admin(&self) -> bool {
        matches!(self, Self::Anyone | Self::Admin)
    }

    /// What belongs to somebody else is not there for this caller.
    pub fn may_see(&self, customer: &CustomerId) -> bool {
        match self {
            Self::Anyone | Self::Admin => true,
            Self::Customer(own) => own == customer,
        }
    }

    /// Whose job it will be, where the request names `stated`: a customer's own unless told.
    pub fn owner(&self, stated: Option<&CustomerId>) -> Result<CustomerId, Error> {
        match (self, stated) {
            (Self::Customer(own), Some(stated)) if own != stated => Err(Error::Forbidden(
                "this key belongs to another customer than `customerId`".to_owned(),
            )),
            (Self::Customer(own), _) => Ok(own.clone()),
            (_, stated) => Ok(stated.cloned().unwrap_or_default()),
        }
    }

    /// Whose jobs a read is about, where the request names `stated`; `None` is everybody's.
    pub fn scope(&self, stated: Option<&CustomerId>) -> Result<Option<CustomerId>, Error> {
        match (self, stated) {
            (Self::Customer(own), Some(stated)) if own != stated => {
                Err(Error::NotFound(stated.to_string()))
            }
            (Self::Customer(own), _) => Ok(Some(own.clone())),
            (_, stated) => Ok(stated.cloned()),
        }
    }

    /// Whose jobs a change is about, where the request names `stated`; `None` is everybody's.
    pub fn reach(&self, stated: Option<&CustomerId>) -> Result<Option<CustomerId>, Error> {
        match self {
            Self::Customer(_) => self.owner(stated).map(Some),
            Self::Anyone | Self::Admin => Ok(stated.cloned()),
        }
    }

    /// The customer that calls, where it is one.
    pub const fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Customer(own) => Some(own),
            Self::Anyone | Self::Admin => None,
        }
    }

    /// Against whose rate a call counts, where the request names `stated`. Without keys that is
    /// whoever is named; an admin never spends what is a customer's, and is not limited.
    pub fn payer(&self, stated: Option<&CustomerId>) -> Option<CustomerId> {
        match self {
            Self::Customer(own) => Some(own.clone()),
            Self::Anyone => Some(stated.cloned().unwrap_or_default()),
            Self::Admin => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> CustomerId {
        CustomerId::parse(name).unwrap()
    }

    #[test]
    fn a_customer_sees_and_creates_only_its_own() {
        let (own, other) = (named("own"), named("other"));
        let caller = Caller::Customer(own.clone());
        assert!(caller.may_see(&own) && !caller.may_see(&other) && !caller.is_admin());
        assert_eq!(caller.owner(None).unwrap(), own);
        assert_eq!(caller.owner(Some(&own)).unwrap(), own);
        assert!(matches!(
            caller.owner(Some(&other)),
            Err(Error::Forbidden(_))
        ));
        assert_eq!(caller.scope(None).unwrap(), Some(own.clone()));
        assert!(matches!(
            caller.scope(Some(&other)),
            Err(Error::NotFound(_))
        ));
        assert_eq!(caller.reach(None).unwrap(), Some(own.clone()));
        assert!(caller.reach(Some(&other)).is_err());
        assert_eq!(caller.customer(), Some(&own));
        assert_eq!(caller.payer(None), Some(own));
    }

    #[test]
    fn admins_and_services_without_keys_see_everything() {
        for caller in [Caller::Anyone, Caller::Admin] {
            assert!(caller.may_see(&named("any")) && caller.is_admin());
            assert_eq!(caller.owner(None).unwrap(), CustomerId::default());
            assert_eq!(caller.owner(Some(&named("any"))).unwrap(), named("any"));
            assert_eq!(caller.scope(None).unwrap(), None);
            assert_eq!(caller.reach(None).unwrap(), None);
            assert_eq!(caller.customer(), None);
        }
    }
}
