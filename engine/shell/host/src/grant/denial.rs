//! What a denial says: what was refused, which side lacks it, and the very lines to add.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::{Asked, Grant, Side};
use crate::manifest::SecretUse;
use crate::origin::Origin;

impl Grant {
    pub(super) fn deny_origin(&self, origin: &Origin, method: &str) -> String {
        let refused = format!("plugin `{}` may not send {method} to {origin}", self.plugin);
        if let Some(granted) = self
            .origins
            .iter()
            .find(|granted| granted.origin == *origin)
        {
            return format!(
                "{refused}: its manifest asks for {} there; in plugin.toml add `\"{method}\"` to \
                the methods of that [[http]]",
                granted.methods.join(", ")
            );
        }
        let withheld = self
            .withheld
            .iter()
            .find(|w| w.what == Asked::Origin(origin.clone()));
        if let Some(withheld) = withheld {
            let lines = withheld
                .missing
                .iter()
                .map(|side| self.origin_line(*side, origin));
            return format!("{refused}: {}", lines.collect::<Vec<_>>().join("; and "));
        }
        let mut text = format!(
            "{refused}: its manifest does not ask for it; in plugin.toml add `[[http]]` with \
            `origin = \"{origin}\"`, `methods = [\"{method}\"]` and a reason"
        );
        for side in [Side::Pack, Side::Operator] {
            if side == Side::Operator || self.packed {
                let _ = write!(text, "; and {}", self.origin_line(side, origin));
            }
        }
        for withheld in &self.withheld {
            if let Asked::Unbound(key) = &withheld.what {
                let _ = write!(
                    text,
                    "; the manifest also asks for `{{config.{key}}}`, but the configuration \
                    holds no origin under `{key}`"
                );
            }
        }
        text
    }

    pub(super) fn deny_address(&self, origin: &Origin, address: SocketAddr, kind: &str) -> String {
        format!(
            "plugin `{}` may not connect to {origin}: it stands at {address}, {kind}; the \
            operator allows that by naming the address, `--allow-host {address}` or `hosts = \
            [\"{address}\"]` under [plugins] of the server's configuration",
            self.plugin
        )
    }

    pub(super) fn deny_secret(&self, name: &str, purpose: SecretUse) -> String {
        let refused = format!("plugin `{}` may not use the secret `{name}`", self.plugin);
        let withheld = self
            .withheld
            .iter()
            .find(|w| w.what == Asked::Secret(name.to_owned()));
        if let Some(withheld) = withheld {
            let lines = withheld
                .missing
                .iter()
                .map(|side| self.secret_line(*side, name));
            return format!("{refused}: {}", lines.collect::<Vec<_>>().join("; and "));
        }
        let mut text = format!(
            "{refused}: its manifest does not ask for it; in plugin.toml add `[[secret]]` with \
            `name = \"{name}\"`, `use = \"{}\"` and a reason",
            word(purpose)
        );
        for side in [Side::Pack, Side::Operator] {
            if side == Side::Operator || self.packed {
                let _ = write!(text, "; and {}", self.secret_line(side, name));
            }
        }
        text
    }

    fn origin_line(&self, side: Side, origin: &Origin) -> String {
        match side {
            Side::Pack => format!(
                "in pack.yaml, under `plugins: {}:`, write `origins: [ \"{origin}\" ]`",
                self.plugin
            ),
            Side::Operator => format!(
                "the operator allows it with `--allow-host {host}`, or with `hosts = \
                [\"{host}\"]` under [plugins] of the server's configuration",
                host = origin.host_port()
            ),
        }
    }

    fn secret_line(&self, side: Side, name: &str) -> String {
        match side {
            Side::Pack => format!(
                "in pack.yaml, under `plugins: {}:`, write `secrets: [ {name} ]`",
                self.plugin
            ),
            Side::Operator => format!(
                "the operator gives it a value, `{name} = \"...\"` under [plugins.secrets] of \
                the server's configuration"
            ),
        }
    }
}

pub(super) fn other_use(plugin: &str, name: &str, asked: SecretUse, granted: SecretUse) -> String {
    format!(
        "plugin `{plugin}` may not use the secret `{name}` for `{}`: it is granted for `{}`; in \
        plugin.toml change `use` of that [[secret]], and have the grant accepted again",
        word(asked),
        word(granted)
    )
}

fn word(purpose: SecretUse) -> &'static str {
    match purpose {
        SecretUse::Http => "http",
        SecretUse::Hmac => "hmac",
        SecretUse::Reveal => "reveal",
    }
}
