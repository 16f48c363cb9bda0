//! Patterns at random, the same in every run.

/// Random numbers (`SplitMix64`).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// A pattern of five fields, most of them right.
    pub(super) fn pattern(&mut self) -> String {
        const MONTHS: &[&str] = &[
            "JAN", "feb", "Mar", "APR", "MAY", "JUN", "JUL", "AUG", "sep", "OCT", "NOV", "DEC",
        ];
        const DAYS: &[&str] = &["SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT"];
        let fields = [
            self.field(0, 59, 2, &[]),
            self.field(0, 23, 3, &[]),
            self.field(1, 31, 5, &[]),
            self.field(1, 12, 5, MONTHS),
            self.field(0, 7, 5, DAYS),
        ];
        fields.join(" ")
    }

    /// A field; `stars` of ten are `*`.
    fn field(&mut self, least: u64, most: u64, stars: u64, names: &[&str]) -> String {
        if self.below(10) < stars {
            return "*".to_owned();
        }
        let items = if self.below(3) == 0 {
            1 + self.below(5)
        } else {
            1
        };
        let items = (0..items).map(|_| self.item(least, most, names));
        items.collect::<Vec<_>>().join(",")
    }

    fn item(&mut self, least: u64, most: u64, names: &[&str]) -> String {
        let from = least + self.below(most - least + 1);
        let to = from + self.below(most - from + 1);
        let largest = if self.below(2) == 0 { 5 } else { most };
        let step = 1 + self.below(largest);
        let mut shown = |value: u64| {
            let name = names.get((value - least) as usize);
            match name.filter(|_| self.below(3) == 0) {
                Some(name) => (*name).to_owned(),
                None => value.to_string(),
            }
        };
        let (first, last) = (shown(from), shown(to));
        match self.below(8) {
            0..4 => first,
            4 | 5 => format!("{first}-{last}"),
            6 => format!("{first}-{last}/{step}"),
            _ => format!("*/{step}"),
        }
    }
}
