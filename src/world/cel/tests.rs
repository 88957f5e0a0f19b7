//! Expressions as Kubernetes' documentation writes them, and hostile ones.

use super::eval::{Eval, Fault};
use super::parse::{self, Expr, apart};
use super::policy::Program;
use super::value::Value;
use super::{Asked, Place, Verdict};
use crate::world::guards::Ways;
use serde_json::{Value as Json, json};
use std::cell::Cell;

fn parse(text: &str) -> Option<Expr> {
    apart(|| parse::parse(text))
}

/// What an expression says of an object: `None` if that is not known.
fn says(object: &Json, text: &str) -> Result<Option<bool>, Fault> {
    let globals = [("object", Value::json(object)), ("some", Value::Unknown)];
    let expr = parse(text);
    assert!(expr.is_some(), "{text}");
    Eval::new(20_000, &globals, &[], false).truth(expr.as_ref())
}

fn all(object: &Json, expected: Result<Option<bool>, Fault>, texts: &[&str]) {
    for text in texts {
        assert_eq!(says(object, text), expected, "{text}");
    }
}

fn pod() -> Json {
    json!({
    "metadata": {"name": "web-0", "labels": {"app": "web"}},
    "spec": {"replicas": 3, "serviceAccountName": "default",
        "containers": [
            {"name": "app", "image": "docker.io/nginx:1.25", "resources": {"limits": {"memory": "64Mi"}}},
            {"name": "side", "image": "quay.io/side@sha256:0", "securityContext": {"privileged": true}},
        ]}})
}

#[test]
fn what_is_true() {
    all(
        &pod(),
        Ok(Some(true)),
        &[
            "object.spec.replicas <= 5",
            "has(object.spec.replicas) && object.spec.replicas >= 3",
            "!has(object.spec.hostPID) || object.spec.hostPID == false",
            "object.spec.containers.exists(c, c.name == 'side')",
            "object.spec.containers.exists_one(c, has(c.securityContext))",
            "object.spec.containers.filter(c, has(c.resources)).map(c, c.name) == ['app']",
            "object.spec.containers.map(c, has(c.resources), c.name) == ['app']",
            "size(object.spec.containers) == 2 && object.spec.containers.size() > 1",
            "object.metadata.name.startsWith('web-') && object.metadata.name.endsWith('0')",
            "object.spec.containers.all(c, c.image.contains('.io/'))",
            "object.metadata.name.matches('^web-[0-9]+$')",
            "object.spec.containers[0].image.split('/')[0] == 'docker.io'",
            "'app' in object.metadata.labels && object.metadata.labels['app'] in ['web', 'api']",
            "object.metadata.?annotations['a'].orValue('') == ''",
            "object.spec.?hostIPC.orValue(false) == false && !object.spec.?hostIPC.hasValue()",
            "object.?spec.?serviceAccountName.optMap(n, n == 'default').orValue(false)",
            "quantity(object.spec.containers[0].resources.limits.memory).isLessThan(quantity('1Gi'))",
            "(object.spec.replicas > 2 ? 'many' : 'few') == 'many'",
            "object.metadata.labels.all(k, k == 'app')",
            "{'a': 1, ?'b': optional.none()} == {'a': 1}",
            "sets.contains(['A', 'B'], ['A']) && !sets.intersects(['A'], ['C'])",
            "true || object.spec.missing",
            "!(object.spec.missing == 1 && false)",
            "some || true",
            "!(some && false)",
            "object.spec.containers.exists(c, c.securityContext.privileged)",
            "1 != 'one' && 1.0 == 1 && 2 * 3 - 1 == 5 && -2 < 0 && 7 / 2 == 3 && 7 % 2 == 1",
            "object.spec.containers.all(c, (has(c.resources) && 'x' != c.name) || c.name == 'side')",
        ],
    );
}

#[test]
fn what_fails() {
    all(
        &pod(),
        Err(Fault::Error),
        &[
            "object.spec.hostPID == true",
            "object.spec.containers.all(c, c.securityContext.privileged)",
            "object.spec.containers[7].name == 'app'",
            "has(object.status.phase.reason)",
            "1 / 0 == 1",
            "object.spec.missing || false",
            "optional.none().value() == 1",
        ],
    );
}

#[test]
fn what_is_not_known() {
    all(
        &pod(),
        Ok(None),
        &[
            "some",
            "some == 1",
            "some && object.spec.replicas == 3",
            "some || object.spec.missing",
            "some.all(x, x == 1)",
            "(some ? 1 : 2) == 1",
            "object.metadata.name.charAt(0) == 'w'",
            "url('https://example.com').getHost() == 'example.com'",
            "authorizer.group('').resource('pods').check('create').allowed()",
            "b'a' == b'a'",
            "type(1) == int",
        ],
    );
}

#[test]
fn hostile_expressions_end() {
    let deep =
        |open: &str, close: &str, n: usize| format!("{}1{} == 1", open.repeat(n), close.repeat(n));
    for n in [20, 200, 5000] {
        let _ = parse(&deep("(", ")", n));
        let _ = parse(&deep("[", "]", n));
        let _ = parse(&deep("!", "", n));
        let _ = parse(&deep("-", "", n));
        let _ = parse(&deep("f(", ")", n));
        let _ = parse(&deep("[1].map(x, ", ")", n));
        let _ = parse(&deep("true ? 1 : ", "", n));
        let _ = parse(&format!("a{}", ".b".repeat(n)));
        let _ = parse(&format!("a{}", "[0]".repeat(n)));
        let _ = parse(&format!("true{}", " && true".repeat(n)));
        let _ = parse(&format!("1{}", " + 1".repeat(n)));
        let _ = parse(&format!("1{}", " < 1".repeat(n)));
        let _ = parse(&"1 in ".repeat(n));
        let _ = parse(&"\"".repeat(n));
    }
    // The longest that are read at all.
    for text in [format!("a{} == 1", ".b".repeat(590)), format!("1{} == 1", " + 1".repeat(590))] {
        let expr = parse(&text);
        assert!(expr.is_some());
        let said = Eval::new(20_000, &[], &[], false).truth(expr.as_ref());
        assert_eq!(said, Err(Fault::Spent));
    }
    let nested = "[1,2,3,4,5,6,7,8,9].all(a, ".repeat(9) + "true" + &")".repeat(9);
    assert_eq!(says(&pod(), &nested), Err(Fault::Spent));
    // Each variable is twice the one before.
    let mut variables = vec![("v0".to_owned(), parse("'0123456789'"))];
    for i in 1..60 {
        let text = format!("variables.v{0} + variables.v{0}", i - 1);
        variables.push((format!("v{i}"), parse(&text)));
    }
    let expr = parse("variables.v59 == ''");
    let said = Eval::new(20_000, &[], &variables, false).truth(expr.as_ref());
    assert_eq!(said, Err(Fault::Spent));
    let mut variables = vec![("v0".to_owned(), parse("[1]"))];
    for i in 1..60 {
        let text = format!("[variables.v{0}, variables.v{0}]", i - 1);
        variables.push((format!("v{i}"), parse(&text)));
    }
    let expr = parse("variables.v59 == [variables.v58, variables.v58]");
    let said = Eval::new(20_000, &[], &variables, false).truth(expr.as_ref());
    assert_eq!(said, Err(Fault::Spent));
}

fn judge(spec: &Json) -> Verdict {
    judge_in(spec, Some("shop"), &[("kubernetes.io/metadata.name", "shop"), ("env", "prod")])
}

fn judge_in(spec: &Json, name: Option<&str>, labels: &[(&str, &str)]) -> Verdict {
    let params = !spec["paramKind"].is_null();
    let program = Program::read(
        &spec["matchConditions"],
        &spec["variables"],
        &spec["validations"],
        &spec["failurePolicy"],
        params,
    );
    let place = Place { name, labels: name.map(|_| labels) };
    program.unwrap().judge(Asked::Create, &place, true, &Cell::new(1_000_000_000))
}

fn validation(text: &str) -> Json {
    json!({"validations": [{"expression": text}]})
}

#[track_caller]
fn closes(text: &str, closed: Ways, unsure: Ways) {
    let verdict = judge(&validation(text));
    assert_eq!((verdict.closed, verdict.unsure), (closed, unsure), "{text}");
}

const NONE: Ways = Ways(0);

#[test]
fn ways_that_are_closed() {
    closes("!has(object.spec.hostPID)", NONE, NONE);
    closes(
        "!object.spec.?hostPID.orValue(false) && !object.spec.?hostIPC.orValue(false)",
        Ways::HOST_NAMESPACES,
        NONE,
    );
    closes(
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))",
        Ways::HOST_PATH,
        NONE,
    );
    closes("object.spec.volumes.filter(v, has(v.hostPath)).size() == 0", Ways::HOST_PATH, NONE);
    // Containers that start the pod are left out.
    closes(
        "object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || !c.securityContext.privileged)",
        NONE,
        NONE,
    );
    let both = "(object.spec.containers + object.spec.?initContainers.orValue([]))";
    closes(
        &format!("{both}.all(c, c.?securityContext.?privileged.orValue(false) == false)"),
        Ways::PRIVILEGED,
        NONE,
    );
    closes(
        &format!("!{both}.exists(c, c.?securityContext.?privileged.orValue(false))"),
        Ways::PRIVILEGED,
        NONE,
    );
    let ternary = "(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : []))";
    closes(
        &format!(
            "{ternary}.all(c, !has(c.securityContext) || !has(c.securityContext.capabilities) || !has(c.securityContext.capabilities.add) || c.securityContext.capabilities.add.all(a, a in ['NET_BIND_SERVICE']))"
        ),
        Ways::CAPABILITIES,
        NONE,
    );
    closes(
        &format!(
            "{both}.all(c, sets.contains(['CHOWN'], c.?securityContext.?capabilities.?add.orValue([])))"
        ),
        Ways::CAPABILITIES,
        NONE,
    );
    // One strong capability is forgotten.
    closes(
        &format!(
            "{both}.all(c, !('SYS_ADMIN' in c.?securityContext.?capabilities.?add.orValue([])))"
        ),
        NONE,
        NONE,
    );
    closes(
        &format!(
            "{both}.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)"
        ),
        Ways::PRIVILEGED,
        NONE,
    );
    closes("false", Ways::ALL, NONE);
}

#[test]
fn what_whoever_makes_a_pod_can_meet() {
    let demands = [
        "has(object.metadata.labels) && 'cost-centre' in object.metadata.labels",
        "object.spec.containers.all(c, c.image.startsWith('registry.corp/'))",
        "object.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits)",
        "object.metadata.name.size() < 40",
        "request.operation == 'CREATE' && request.resource.resource == 'pods' && oldObject == null",
    ];
    for text in demands {
        closes(text, NONE, NONE);
    }
    // An exception that a label makes, or one that the snapshot does not show.
    let exempt = "has(object.metadata.labels) && 'exempt' in object.metadata.labels";
    let host = "object.spec.volumes.all(v, !has(v.hostPath))";
    closes(&format!("({exempt}) || {host}"), NONE, Ways::HOST_PATH);
    closes(&format!("request.userInfo.username == 'ci' || {host}"), NONE, Ways::HOST_PATH);
    closes("request.userInfo.username == 'ci'", NONE, Ways::ALL);
    closes("authorizer.group('').resource('pods').check('privileged').allowed()", NONE, Ways::ALL);
    // Only some folders of the node.
    closes(
        "object.spec.volumes.all(v, !has(v.hostPath) || v.hostPath.path.startsWith('/data/'))",
        NONE,
        Ways::HOST_PATH,
    );
    closes("object.spec.volumes.all(v, !has(v.hostPath) || v.hostPath.path != '/')", NONE, NONE);
}

#[test]
fn conditions_failures_and_parameters() {
    let host = "!has(object.spec.hostPID) && !has(object.spec.hostIPC)";
    let mut spec = validation(host);
    spec["matchConditions"] = json!([{"name": "a", "expression": "request.namespace == 'other'"}]);
    let verdict = judge(&spec);
    assert_eq!((verdict.closed, verdict.unsure, verdict.local.name), (NONE, NONE, true));
    spec["matchConditions"] = json!([{"name": "a", "expression": "request.namespace == 'shop'"}]);
    assert_eq!(judge(&spec).closed, Ways::HOST_NAMESPACES);
    spec["matchConditions"] =
        json!([{"name": "a", "expression": "!('x' in request.userInfo.groups)"}]);
    assert_eq!((judge(&spec).closed, judge(&spec).unsure), (NONE, Ways::HOST_NAMESPACES));
    // A field that is not there.
    let mut failing = validation("object.spec.hostPID == false && object.nothing == 1");
    failing["failurePolicy"] = json!("Ignore");
    assert_eq!(judge(&failing).closed, NONE);
    let mut spec = validation(&format!("{host} && params.data.on == 'x'"));
    spec["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    assert_eq!((judge(&spec).closed, judge(&spec).unsure), (NONE, Ways::ALL));
    let spec = json!({
        "variables": [
            {"name": "env", "expression": "namespaceObject.metadata.?labels['env'].orValue('')"},
            {"name": "strict", "expression": "variables.env == 'prod'"},
        ],
        "validations": [{"expression": "!variables.strict || !has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))"}],
    });
    assert_eq!(judge(&spec).closed, Ways::HOST_PATH);
    assert_eq!(judge_in(&spec, Some("a"), &[]).closed, NONE);
    assert_eq!(judge_in(&spec, None, &[]).closed, NONE);
}

/// Whoever forgets what is dangerous takes a policy for one that anybody can meet.
#[test]
fn what_is_dangerous_is_never_forgotten() {
    let both = "(object.spec.containers + object.spec.?initContainers.orValue([]))";
    let bad = "c.?securityContext.?privileged.orValue(false)";
    for text in [
        format!("{both}.filter(c, {bad}).size() == 7"),
        format!("{both}.filter(c, c.name != 'x').all(c, !{bad})"),
        format!("{both}.filter(c, c.name != 'x').map(c, {bad}) == [false]"),
        format!("{both}[0].securityContext.privileged == false"),
        format!("{both}[object.spec.replicas].securityContext.privileged == false"),
        format!("(object.metadata.name == 'x' ? [] : {both}).all(c, !{bad})"),
        format!("object.metadata.name == 'x' || {both}.all(c, !{bad})"),
        format!("object.metadata.labels == {both}[0]"),
        format!("{both} == object.metadata.finalizers"),
        format!("{both}[0] in object.metadata.finalizers"),
        format!("sets.contains(object.metadata.finalizers, {both})"),
        format!("{both}.map(c, string({bad})).join(',') == object.metadata.name"),
        format!("{both}.exists_one(c, c.name == 'x' && !{bad})"),
        format!("{both}.all(c, c.name == 'x' || !{bad})"),
        format!("[{both}].all(l, l == object.metadata.finalizers)"),
        format!("{{'a': {both}}}.a == object.metadata.finalizers"),
        format!("{both}.sort() == []"),
        "object.spec == object.metadata.annotations".to_owned(),
    ] {
        for failure in ["Ignore", "Fail"] {
            let mut spec = validation(&text);
            spec["failurePolicy"] = json!(failure);
            let verdict = judge(&spec);
            let kept = verdict.unsure.and(verdict.closed).has(Ways::PRIVILEGED);
            // Of whole pods, these fail.
            let fails = [
                "replicas",
                "finalizers",
                "labels",
                "labels",
                "annotations",
                "[0].securityContext",
            ]
            .iter()
            .any(|f| text.contains(f));
            let whole = failure == "Ignore" && fails;
            assert!(kept || whole, "{text} {failure} {verdict:?}");
        }
    }
}

/// What a verdict depends on decides how often it is asked for.
#[test]
fn what_a_verdict_depends_on() {
    let host = "!has(object.spec.hostPID)";
    let local = |text: &str| {
        let local = judge(&validation(&format!("{text} || {host}"))).local;
        (local.labels, local.name, local.spelling)
    };
    assert_eq!(local("false"), (false, false, false));
    assert_eq!(local("request.namespace == 'other'"), (false, true, false));
    assert_eq!(local("object.metadata.namespace in ['a', 'b']"), (false, true, false));
    assert_eq!(local("request.namespace.startsWith('kube-')"), (false, true, true));
    assert_eq!(local("namespaceObject.metadata.name == 'x'"), (false, true, false));
    assert_eq!(local("namespaceObject.metadata.labels.env == 'x'"), (true, false, false));
    assert_eq!(
        local(
            "namespaceObject.metadata.labels == {'env': 'prod', 'kubernetes.io/metadata.name': 'x'}"
        ),
        (true, true, false)
    );
}
