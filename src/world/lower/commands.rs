//! Command lines of programs that may act for whoever reaches them: the flags that say whether they
//! do, wherever they stand. Of all others nothing is kept here, and no value that may be a secret.

use crate::k8s::workload::Container;
use crate::world::image::Image;

/// What a kept command line begins with that runs `kubectl proxy`.
pub const KUBECTL_PROXY: &str = "kubectl proxy";
/// The same of a Jupyter server whose flags say that it asks for no token.
pub const OPEN_NOTEBOOK: &str = "jupyter";

/// Programs by the ends of their images' repositories, what stands behind a dash at the end being
/// anything, with the flags and the variables that are kept of them.
const PROGRAMS: &[(&[&str], &[&str], &[&str])] = &[
    (&["argoproj/argocd"], &["--disable-auth", "--port"], &[]),
    (
        &["tektoncd/dashboard/cmd/dashboard", "tektoncd/dashboard/dashboard-"],
        &["--read-only", "--port"],
        &[],
    ),
    (&["tiller"], &["--tls-verify", "--listen"], &["TILLER_TLS_VERIFY"]),
    (
        &["weaveworks/scope"],
        &[
            "--mode",
            "--app.basicAuth",
            "--app.http.address",
            "--probe.no-controls",
            "--probe.kubernetes.role",
        ],
        &["ENABLE_BASIC_AUTH"],
    ),
];

/// The flags of `kubectl proxy` that say where it listens and what it lets through.
const PROXY_FLAGS: &[(&str, &str)] = &[
    ("--accept-paths", ""),
    ("--address", ""),
    ("--disable-filter", ""),
    ("--port", "-p"),
    ("--reject-methods", ""),
    ("--reject-paths", ""),
    ("--unix-socket", "-u"),
];

/// The flags of kubectl by which it acts as another than its pod's account, or on another cluster.
/// Their values may be credentials.
const OTHER_CALLER: &[&str] = &[
    "--as",
    "--client-certificate",
    "--cluster",
    "--context",
    "--kubeconfig",
    "--server",
    "--token",
    "--user",
    "-s",
];

/// The flags of kubectl that take the next word for their value.
const TAKES_VALUE: &[&str] =
    &["--namespace", "-n", "-v", "--v", "--cache-dir", "--request-timeout"];

/// What is kept of a container's command line: nothing for most.
pub(super) fn kept(c: &Container<'_>) -> Vec<String> {
    let words: Vec<&str> = c.command.iter().chain(c.args.iter()).map(|word| &**word).collect();
    let image = Image::new(&c.image);
    let mut found = of_program(c, image, &words);
    let about = |text: &str| text.contains("kubectl") || text.contains("NotebookApp.");
    let server = |text: &str| text.contains("ServerApp.") || text.contains("IdentityProvider.");
    let may_be = |text: &&str| about(text) || server(text);
    if !may_be(&&*c.image) && !words.iter().any(may_be) {
        return found;
    }
    for line in lines(&words) {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        // An image of kubectl runs it with the arguments alone.
        let own = c.command.is_empty() && image.name().contains("kubectl");
        if let Some(rest) = after_kubectl(&line, own) {
            found.extend(proxy(c, rest));
        }
        found.extend(notebook(&line));
    }
    found
}

/// The flags of programs that are told by their image.
fn of_program(c: &Container<'_>, image: Image<'_>, words: &[&str]) -> Vec<String> {
    let is = |path: &&str| match path.strip_suffix('-') {
        Some(_) => image.repository.rsplit_once(*path).is_some_and(|(_, sum)| !sum.contains('/')),
        None => image.is(path),
    };
    let program = PROGRAMS.iter().find(|(images, ..)| images.iter().any(is));
    let Some((_, flags, variables)) = program else { return Vec::new() };
    let mut found = Vec::new();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        // The flags of Go take one dash as well as two.
        let bare = name.trim_start_matches('-');
        let Some(flag) = flags.iter().find(|f| name != bare && f.trim_start_matches('-') == bare)
        else {
            continue;
        };
        let value = match word.split_once('=') {
            Some((_, value)) => Some(value),
            None => words.next_if(|next| !next.starts_with('-')),
        };
        found.push(value.map_or_else(|| (*flag).to_owned(), |value| format!("{flag}={value}")));
    }
    let set = c.env.iter().filter(|e| variables.contains(&&*e.name) && e.value.0);
    found.extend(set.map(|e| (*e.name).to_owned()));
    found
}

/// The commands of a command line: those of its script, if it is a shell with one.
fn lines(words: &[&str]) -> Vec<Vec<String>> {
    let shell = words.first().is_some_and(|first| {
        matches!(first.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"))
    });
    let is_script = |word: &&str| word.starts_with('-') && word.ends_with('c');
    let script = words.iter().position(is_script).filter(|_| shell);
    match script.and_then(|at| words.get(at + 1)) {
        Some(script) => commands(script),
        None => vec![words.iter().map(|word| (*word).to_owned()).collect()],
    }
}

/// The commands of a script, each in its words: as much of a shell's grammar as tells them apart.
fn commands(script: &str) -> Vec<Vec<String>> {
    let (mut all, mut line) = (Vec::new(), Vec::new());
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            // A line that is continued.
            (None, '\\') if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            (None, '\\') => word.extend(chars.next()),
            (None, c) if c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')') => {
                if begun || !word.is_empty() {
                    line.push(std::mem::take(&mut word));
                    begun = false;
                }
                if c == '\n' || !c.is_whitespace() {
                    all.push(std::mem::take(&mut line));
                }
            }
            (None, c) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        line.push(word);
    }
    all.push(line);
    all
}

/// What stands behind the name of kubectl. `own`: the command line begins with its arguments.
fn after_kubectl<'l>(line: &'l [&'l str], own: bool) -> Option<&'l [&'l str]> {
    let named = line.iter().position(|word| word.rsplit('/').next() == Some("kubectl"));
    match named {
        Some(at) => line.get(at + 1..),
        None => own.then_some(line),
    }
}

/// `kubectl proxy` with its flags, if that is what is run.
fn proxy(c: &Container<'_>, line: &[&str]) -> Vec<String> {
    let mut found = vec![KUBECTL_PROXY.to_owned()];
    let (mut runs, mut words) = (false, line.iter().copied().peekable());
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            // The first word that is no flag is the command.
            if !runs && word != "proxy" {
                return Vec::new();
            }
            runs = true;
            continue;
        }
        let name = word.split('=').next().unwrap_or(word);
        let given = word.split_once('=').map(|(_, value)| value);
        let of = PROXY_FLAGS.iter().find(|(long, short)| *long == name || *short == name);
        if let Some((long, _)) = of {
            let switch = *long == "--disable-filter";
            let next = if given.is_none() && !switch { words.next() } else { None };
            let value = given.or(next).unwrap_or(if switch { "true" } else { "" });
            found.push(format!("{long}={value}"));
        } else if OTHER_CALLER.contains(&name) {
            found.push(if name == "-s" { "--server".to_owned() } else { name.to_owned() });
            let _ = given.is_none().then(|| words.next());
        } else if let Some(port) = word.strip_prefix("-p").filter(|rest| !rest.is_empty()) {
            found.push(format!("--port={port}"));
        } else if given.is_none() && TAKES_VALUE.contains(&name) {
            words.next();
        }
    }
    if c.env.iter().any(|e| &*e.name == "KUBECONFIG") {
        found.push("--kubeconfig".to_owned());
    }
    if runs { found } else { Vec::new() }
}

/// A Jupyter server without a token and a password, with the address that it listens on.
fn notebook(line: &[&str]) -> Vec<String> {
    const OWNERS: &[&str] =
        &["--NotebookApp.", "--ServerApp.", "--IdentityProvider.", "--PasswordIdentityProvider."];
    let (mut open, mut asks) = (None, false);
    let mut found = Vec::new();
    for (i, word) in line.iter().enumerate() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        // `--flag=''` reaches the program with its quotes if no shell is between.
        let value = if word.contains('=') { value } else { line.get(i + 1).unwrap_or(&"x") };
        let value = value.trim_matches(['\'', '"']);
        let field = OWNERS.iter().find_map(|owner| name.strip_prefix(owner));
        match field {
            Some("token") => open = Some(value.is_empty()),
            Some("password" | "hashed_password") => asks |= !value.is_empty(),
            Some("ip") => found.push(format!("--ip={value}")),
            Some("port") => found.push(format!("--port={value}")),
            _ if matches!(name, "--ip" | "--port") => found.push(format!("{name}={value}")),
            _ => {}
        }
    }
    if open != Some(true) || asks {
        return Vec::new();
    }
    found.insert(0, OPEN_NOTEBOOK.to_owned());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(container: &serde_json::Value) -> Vec<String> {
        let text = container.to_string();
        kept(&serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_proxy_is_told_from_what_else_kubectl_does() {
        let proxy = of(&json!({"command": ["/usr/bin/kubectl", "-n", "a", "proxy", "-p", "80"]}));
        assert_eq!(proxy, ["kubectl proxy", "--port=80"]);
        let own = json!({"image": "bitnami/kubectl:1", "args": ["proxy", "--address", "0.0.0.0"]});
        assert_eq!(of(&own), ["kubectl proxy", "--address=0.0.0.0"]);
        for words in [&["kubectl", "get", "svc", "proxy"][..], &["proxy"], &["kubectl"], &["echo"]]
        {
            assert_eq!(of(&json!({"command": words})), Vec::<String>::new(), "{words:?}");
        }
    }

    #[test]
    fn a_script_is_read_command_by_command() {
        let script = "set -e; echo kubectl && exec kubectl proxy \\\n --accept-hosts='^.*$' \
                      --address=\"0.0.0.0\" -p8080 | tee proxy";
        let found = of(&json!({"command": ["/bin/sh", "-ec"], "args": [script]}));
        assert_eq!(found, ["kubectl proxy", "--address=0.0.0.0", "--port=8080"]);
    }

    #[test]
    fn what_may_be_a_credential_is_not_kept() {
        let words = ["kubectl", "--token", "s3cret", "proxy", "--server=https://u:s3cret@h"];
        assert_eq!(of(&json!({"command": words})), ["kubectl proxy", "--token", "--server"]);
        let words = ["jupyter", "lab", "--ServerApp.token=s3cret"];
        assert_eq!(of(&json!({"command": words})), Vec::<String>::new());
    }

    #[test]
    fn a_notebook_is_open_without_a_token_and_a_password() {
        let open = ["start-notebook.sh", "--NotebookApp.token=''", "--ip", "0.0.0.0"];
        assert_eq!(of(&json!({"args": open})), ["jupyter", "--ip=0.0.0.0"]);
        let asks = ["jupyter", "lab", "--ServerApp.token=", "--ServerApp.password=sha1:1"];
        assert_eq!(of(&json!({"command": asks})), Vec::<String>::new());
    }

    #[test]
    fn programs_are_told_by_their_images() {
        let tiller = json!({"image": "gcr.io/kubernetes-helm/tiller:v2", "command": ["/tiller", "-listen", "localhost:1"],
            "env": [{"name": "TILLER_TLS_VERIFY", "value": "1"}]});
        assert_eq!(of(&tiller), ["--listen=localhost:1", "TILLER_TLS_VERIFY"]);
        let other = json!({"image": "a/b", "command": ["b", "--listen", "localhost:1"]});
        assert_eq!(of(&other), Vec::<String>::new());
    }
}
