//! The language of selectors, told once for `help selectors`, the documentation and the tests.

/// What `help selectors` and the documentation say.
pub const REFERENCE: &str = "\
A selector names nodes of the attack graph.

    internet                       everyone
    anonymous                      requests without credentials: the user system:anonymous
    cluster-admin                  full power over the cluster
    KIND/NAME                      of a kind that has no namespace
    KIND/NAMESPACE/NAME            of a kind that has one

Kinds are written as for kubectl, in any case, long or short. `*` stands for any text and `?` for
one character, in names and namespaces:

    sa/shop/web                    a service account
    sa/shop/*                      every service account of a namespace
    pod/kube-system/etcd-*         pods by the beginning of their name
    deploy/shop/web                a workload: deploy, ds, sts, rs, rc, job, cj
    workload/shop/Rollout/web      a workload of any kind, also of one that kubectl has no name for
    container/shop/web-0/app       a container: its pod's name, or its workload's where no pod runs
    node/worker-*                  machines
    node-identity/worker-1         what a machine's kubelet authenticates as
    secret/vault/root              also: cm, pvc, role, rolebinding (rb)
    clusterrole/view               also: clusterrolebinding (crb), pv
    user/alice                     a user or group that a binding names
    group/system:serviceaccounts
    ns/shop                        a namespace, and the power over it
    namespace-admin/shop           the power over it alone
    entry/shop/service/web         a door to the outside: service, ingress, httproute, hostport
    cloud/arn:aws:iam::*           an identity of a cloud provider

Terms narrow a selection; all that stand together must hold:

    kind:pod                       the kind; a kind alone does the same: pod
    ns:shop                        the namespace
    name:default                   the name
    label:app=web                  a label; label:app asks only whether there is one
    ns-label:env=prod              a label of the namespace that it is in
    exposed                        the internet may reach it
    privileged                     it runs a privileged container
    system                         it belongs to Kubernetes or to kube-system and its like
    control-plane                  part of the control plane
    admin                          full power over the cluster by itself: a binding, or whom it names
    absent                         the snapshot only refers to it
    finished                       a pod that has ended
    holds-cluster-login            a Secret with a kubeconfig, or by which Argo CD signs in
    holds-cloud-key                a Secret with a key of a cloud provider
    holds-git-token                a Secret with a token of a repository or a CI system
    holds-helm-release             a Secret with a release of Helm
    holds-password                 a Secret with a user name and a password
    holds-registry-password        a Secret with a password of a registry of images
    holds-sealing-key              a Secret that opens SealedSecrets
    holds-signing-key              a Secret with the key of an authority, or of a client of etcd
    holds-ssh-key                  a Secret with an SSH key
    holds-store-token              a Secret with a token of Vault or another store of secrets
    holds-tls-key                  a Secret with the key of a TLS certificate
    unused                         a service account that no pod or workload runs as

    kind:pod ns:shop label:app=web exposed
    sa unused -system -absent

`-` before a term turns it around: -system. A comma joins selections: sa/shop/*, user/alice.
Double quotes keep spaces, commas and a leading `-` together: user/\"Doe, Jane\".
";
