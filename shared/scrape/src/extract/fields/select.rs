//! Elements that match a selector, in document order, under the page's clock. Some selectors cost
//! the square of the page (`a ~ b`), so large pages are matched element by element.

use std::ops::ControlFlow;

use jobs::Failure;
use scraper::{ElementRef, Selector};

use crate::extract::budget::Budget;

/// Pages up to this many nodes are matched with the library's own iterator, whose caches make
/// `:nth-child` linear but which looks at no clock.
const SMALL: usize = 10_000;
/// Elements between two looks at the clock on larger ones.
const ELEMENTS_PER_LOOK: usize = 16;

/// Calls `found` for every match below `scope` until it breaks. The root of a page matches too.
pub(super) fn each<'a>(
    scope: ElementRef<'a>,
    selector: &Selector,
    page_nodes: usize,
    budget: &Budget<'_>,
    mut found: impl FnMut(ElementRef<'a>) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    budget.check()?;
    let is_root = scope
        .parent()
        .is_none_or(|parent| parent.value().is_document());
    if is_root && selector.matches(&scope) && found(scope)?.is_break() {
        return Ok(());
    }
    if page_nodes <= SMALL {
        for element in scope.select(selector) {
            budget.check()?;
            if found(element)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    for (count, element) in scope.descendent_elements().skip(1).enumerate() {
        if count % ELEMENTS_PER_LOOK == 0 {
            budget.check()?;
        }
        if selector.matches_with_scope(&element, Some(scope)) && found(element)?.is_break() {
            break;
        }
    }
    Ok(())
}
