//! The names of elements that mean something to the reading of a page, and what they mean. Refuses
//! to know attributes or trees.

use super::walk::Role;

macro_rules! names {
    ($($variant:ident $text:literal $role:ident,)*) => {
        /// The name of an element; [`Name::Other`] for one that means nothing to us.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Name {
            $($variant,)*
            Other,
        }

        /// The names as numbers, which compare faster than texts.
        #[allow(non_upper_case_globals)]
        mod number {
            $(pub(super) const $variant: u64 = super::packed($text.as_bytes());)*
        }

        impl Name {
            /// How many there are.
            pub(super) const COUNT: usize = Self::Other as usize + 1;

            /// The name that a text in lower case is.
            pub(super) fn of(text: &str) -> Self {
                let found = match packed(text.as_bytes()) {
                    $(number::$variant => Self::$variant,)*
                    _ => Self::Other,
                };
                let is_exact = (1..8).contains(&text.len()) && !text.starts_with('\0');
                if !is_exact && found.as_str() != text {
                    return Self::Other;
                }
                found
            }

            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }

            /// What the element means for the text around it.
            pub(super) fn role(self) -> Role {
                match self {
                    $(Self::$variant => Role::$role,)*
                    Self::Other => Role::Inline,
                }
            }
        }

        #[cfg(test)]
        const ALL: &[&str] = &[$($text),*];
    };
}

names! {
    A "a" Inline,
    Address "address" Block,
    AnnotationXml "annotation-xml" Inline,
    AppRoot "app-root" Inline,
    Applet "applet" Inline,
    Area "area" Inline,
    Article "article" Block,
    Aside "aside" Block,
    Audio "audio" Hidden,
    B "b" Inline,
    Base "base" Inline,
    Basefont "basefont" Inline,
    Bgsound "bgsound" Inline,
    Big "big" Inline,
    Blockquote "blockquote" Block,
    Body "body" Block,
    Br "br" Break,
    Button "button" Cell,
    Canvas "canvas" Hidden,
    Caption "caption" Block,
    Center "center" Block,
    Code "code" Inline,
    Col "col" Inline,
    Colgroup "colgroup" Inline,
    Datalist "datalist" Hidden,
    Dd "dd" Block,
    Desc "desc" Inline,
    Details "details" Block,
    Dialog "dialog" Block,
    Dir "dir" Block,
    Div "div" Block,
    Dl "dl" Block,
    Dt "dt" Block,
    Em "em" Inline,
    Embed "embed" Hidden,
    Fieldset "fieldset" Block,
    Figcaption "figcaption" Block,
    Figure "figure" Block,
    Font "font" Inline,
    Footer "footer" Block,
    ForeignObject "foreignobject" Inline,
    Form "form" Block,
    Frame "frame" Inline,
    Frameset "frameset" Hidden,
    H1 "h1" Block,
    H2 "h2" Block,
    H3 "h3" Block,
    H4 "h4" Block,
    H5 "h5" Block,
    H6 "h6" Block,
    Head "head" Hidden,
    Header "header" Block,
    Hgroup "hgroup" Block,
    Hr "hr" Block,
    Html "html" Block,
    I "i" Inline,
    Iframe "iframe" Hidden,
    Image "image" Inline,
    Img "img" Cell,
    Input "input" Cell,
    Keygen "keygen" Inline,
    Label "label" Cell,
    Legend "legend" Block,
    Li "li" Block,
    Link "link" Inline,
    Listing "listing" Preformatted,
    Main "main" Block,
    Marquee "marquee" Inline,
    Math "math" Inline,
    Menu "menu" Block,
    Meta "meta" Inline,
    Mi "mi" Inline,
    Mn "mn" Inline,
    Mo "mo" Inline,
    Ms "ms" Inline,
    Mtext "mtext" Inline,
    Nav "nav" Block,
    Nobr "nobr" Inline,
    Noembed "noembed" Hidden,
    Noframes "noframes" Hidden,
    Noscript "noscript" Hidden,
    Object "object" Hidden,
    Ol "ol" Block,
    Optgroup "optgroup" Inline,
    Option "option" Cell,
    P "p" Block,
    Param "param" Inline,
    Plaintext "plaintext" Preformatted,
    Pre "pre" Preformatted,
    Ruby "ruby" Inline,
    S "s" Inline,
    Script "script" Hidden,
    Search "search" Block,
    Section "section" Block,
    Select "select" Hidden,
    Small "small" Inline,
    Source "source" Inline,
    Span "span" Inline,
    Strike "strike" Inline,
    Strong "strong" Inline,
    Style "style" Hidden,
    Sub "sub" Inline,
    Summary "summary" Block,
    Sup "sup" Inline,
    Svg "svg" Hidden,
    Table "table" Block,
    Tbody "tbody" Block,
    Td "td" Cell,
    Template "template" Hidden,
    Textarea "textarea" Hidden,
    Tfoot "tfoot" Block,
    Th "th" Cell,
    Thead "thead" Block,
    Title "title" Block,
    Tr "tr" Block,
    Track "track" Inline,
    Tt "tt" Inline,
    U "u" Inline,
    Ul "ul" Block,
    Var "var" Inline,
    Video "video" Hidden,
    Wbr "wbr" Inline,
    Xmp "xmp" Preformatted,
}

/// The first eight bytes as a number.
const fn packed(text: &[u8]) -> u64 {
    let mut number = 0;
    let mut at = 0;
    while at < text.len() && at < 8 {
        number = number << 8 | text[at] as u64;
        at += 1;
    }
    number
}

impl Name {
    /// 1 to 6 for a heading.
    pub(super) fn heading_level(self) -> Option<u8> {
        (Self::H1 as u8..=Self::H6 as u8)
            .contains(&(self as u8))
            .then(|| self as u8 - Self::H1 as u8 + 1)
    }

    /// Elements without content or end tag, those of old included.
    pub(super) fn is_void(self) -> bool {
        matches!(
            self,
            Self::Area
                | Self::Base
                | Self::Basefont
                | Self::Bgsound
                | Self::Br
                | Self::Col
                | Self::Embed
                | Self::Frame
                | Self::Hr
                | Self::Img
                | Self::Input
                | Self::Keygen
                | Self::Link
                | Self::Meta
                | Self::Param
                | Self::Source
                | Self::Track
                | Self::Wbr
        )
    }

    /// May stand before the body.
    pub(super) fn is_of_head(self) -> bool {
        matches!(
            self,
            Self::Base
                | Self::Basefont
                | Self::Bgsound
                | Self::Head
                | Self::Html
                | Self::Link
                | Self::Meta
                | Self::Noframes
                | Self::Noscript
                | Self::Script
                | Self::Style
                | Self::Template
                | Self::Title
        )
    }

    /// Elements that the standard calls formatting: their end tags act across blocks.
    pub(super) fn is_formatting(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::B
                | Self::Big
                | Self::Code
                | Self::Em
                | Self::Font
                | Self::I
                | Self::Nobr
                | Self::S
                | Self::Small
                | Self::Strike
                | Self::Strong
                | Self::Tt
                | Self::U
        )
    }

    /// Elements that the standard calls special: an end tag of running text does not pass them.
    pub(super) fn is_special(self) -> bool {
        match self {
            Self::Dialog | Self::Option | Self::Label | Self::Search => false,
            Self::Applet | Self::Colgroup | Self::Marquee | Self::Object | Self::Select => true,
            Self::Iframe | Self::Template | Self::Textarea => true,
            _ => {
                matches!(self.role(), Role::Block | Role::Preformatted)
                    || matches!(self, Self::Td | Self::Th | Self::Button | Self::Frameset)
            }
        }
    }

    /// Closes a paragraph that is open.
    pub(super) fn closes_paragraph(self) -> bool {
        match self {
            Self::Body | Self::Head | Self::Html | Self::Title | Self::Legend => false,
            Self::Caption | Self::Table | Self::Tbody | Self::Tfoot | Self::Thead | Self::Tr => {
                false
            }
            _ => matches!(self.role(), Role::Block | Role::Preformatted),
        }
    }

    /// "Generate implied end tags" ends it.
    pub(super) fn has_implied_end(self) -> bool {
        matches!(
            self,
            Self::Dd | Self::Dt | Self::Li | Self::Optgroup | Self::Option | Self::P
        )
    }

    /// An end tag does not look for its start tag beyond such an element.
    pub(super) fn bounds_scope(self) -> bool {
        matches!(
            self,
            Self::Applet
                | Self::Caption
                | Self::Html
                | Self::Marquee
                | Self::Object
                | Self::Select
                | Self::Table
                | Self::Td
                | Self::Template
                | Self::Th
        )
    }

    /// Elements of HTML that end an SVG or a formula in which they stand.
    pub(super) fn breaks_out(self) -> bool {
        matches!(
            self,
            Self::B
                | Self::Big
                | Self::Blockquote
                | Self::Body
                | Self::Br
                | Self::Center
                | Self::Code
                | Self::Dd
                | Self::Div
                | Self::Dl
                | Self::Dt
                | Self::Em
                | Self::Embed
                | Self::Head
                | Self::Hr
                | Self::I
                | Self::Img
                | Self::Li
                | Self::Listing
                | Self::Menu
                | Self::Meta
                | Self::Nobr
                | Self::Ol
                | Self::P
                | Self::Pre
                | Self::Ruby
                | Self::S
                | Self::Small
                | Self::Span
                | Self::Strike
                | Self::Strong
                | Self::Sub
                | Self::Sup
                | Self::Table
                | Self::Tt
                | Self::U
                | Self::Ul
                | Self::Var
        ) || self.heading_level().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_by_its_text() {
        for text in ALL {
            assert_eq!(Name::of(text).as_str(), *text);
        }
    }

    #[test]
    fn what_only_begins_like_a_name_is_another() {
        for text in [
            "",
            "x",
            "blockquo",
            "blockquotes",
            "foreignobjec",
            "ab",
            "\0a",
            "textareas",
        ] {
            assert_eq!(Name::of(text), Name::Other, "{text:?}");
        }
    }

    #[test]
    fn a_heading_knows_its_level() {
        assert_eq!(Name::of("h1").heading_level(), Some(1));
        assert_eq!(Name::of("h6").heading_level(), Some(6));
        assert_eq!(Name::of("hr").heading_level(), None);
    }
}
