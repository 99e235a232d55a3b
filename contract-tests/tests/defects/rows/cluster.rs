//! Clusters in which the objects of jobs that live are not what they must be.

use serde_json::{Value, json};

use crate::broken::{Defect, Spoil, cluster_answers};
use crate::cluster::{object, pod, silent, streams};

fn service(change: fn(&mut Value)) -> impl Fn(Value) -> Vec<Value> {
    move |service| {
        object(service, "Service", |service| {
            if streams(service) {
                change(service)
            }
        })
    }
}

/// Another text in the command of a pod.
fn command(pod: &mut Value, from: &str, to: &str) {
    let command = &mut pod["spec"]["containers"][0]["command"];
    *command = serde_json::from_str(&command.to_string().replace(from, to)).unwrap_or_default();
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "a pod without an owner",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| pod(|pod| pod["metadata"]["ownerReferences"] = json!([]))(one)),
        says: "the owners of pod",
    },
    Defect {
        name: "a pod of another owner",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["metadata"]["ownerReferences"][0]["uid"] = json!("4711"))(one)
        }),
        says: "the owners of pod",
    },
    Defect {
        name: "a label is missing",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                pod["metadata"]["labels"].as_object_mut().map(|labels| labels.remove("job_id"));
            })(one)
        }),
        says: "label job_id of pod",
    },
    Defect {
        name: "a label names another Job",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["metadata"]["labels"]["job-name"] = json!("grpc-job-1-10"))(one)
        }),
        says: "label job-name of pod",
    },
    Defect {
        name: "two pods",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            let mut other = one.clone();
            if one["kind"] != "Pod" || !streams(&one) {
                return vec![one];
            }
            let name = one["metadata"]["name"].as_str().unwrap_or_default();
            other["metadata"]["name"] = json!(format!("{}zzzzz", &name[..name.len() - 5]));
            other["metadata"]["uid"] = json!("4711");
            vec![one, other]
        }),
        says: ", and not exactly one",
    },
    Defect {
        name: "no pod",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(
            |one| {
                if one["kind"] == "Pod" && streams(&one) { Vec::new() } else { vec![one] }
            },
        ),
        says: "after 10 s: there is no pod with label app=grpc-job-1-1",
    },
    Defect {
        name: "a wrong flag",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| pod(|pod| command(pod, "512", "1024"))(one)),
        says: "the command of the pod is not what the contract says",
    },
    Defect {
        name: "one flag too many",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| pod(|pod| command(pod, "\"--roi\"", "\"--verbose\",\"--roi\""))(one)),
        says: "the command of the pod is not what the contract says",
    },
    Defect {
        name: "flags in args",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                let container = &mut pod["spec"]["containers"][0];
                container["args"] = container["command"].take();
            })(one)
        }),
        says: "there are args",
    },
    Defect {
        name: "two containers",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                let other = json!({"name": "sidecar", "image": "sidecar"});
                pod["spec"]["containers"].as_array_mut().map(|all| all.push(other)).unwrap_or_default();
            })(one)
        }),
        says: "has 2 containers",
    },
    Defect {
        name: "an active Job has a verdict",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            object(one, "Job", |job| {
                job["status"]["conditions"] = json!([{"type": "Complete", "status": "False"}]);
            })
        }),
        says: "conditions while it is active",
    },
    Defect {
        name: "an active Job says that it is not",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| object(one, "Job", |job| job["status"]["active"] = json!(0))),
        says: "status.active of job",
    },
    Defect {
        name: "a Job is tried again",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| object(one, "Job", |job| job["spec"]["backoffLimit"] = json!(6))),
        says: "backoffLimit of job",
    },
    Defect {
        name: "Ready is not reported",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                let conditions = pod["status"]["conditions"].as_array_mut();
                conditions.map(|all| all.retain(|one| one["type"] != "Ready")).unwrap_or_default();
            })(one)
        }),
        says: "Running and not ready, wanted Running and ready",
    },
    Defect {
        name: "nobody cleans up",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            let cleans = one["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("cleanup-job"));
            if one["kind"] == "Job" && cleans { Vec::new() } else { vec![one] }
        }),
        says: "INV-OBJECTS",
    },
    Defect {
        name: "the cleanup pod has another threshold",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Objects(|one| {
            object(one, "Pod", |pod| {
                let text = pod.to_string().replace(
                    "\"CPU_USAGE_THRESHOLD\",\"value\":\"4\"",
                    "\"CPU_USAGE_THRESHOLD\",\"value\":\"1\"",
                );
                *pod = serde_json::from_str(&text).unwrap_or_default();
            })
        }),
        says: "CPU_USAGE_THRESHOLD of the cleanup pod",
    },
    Defect {
        name: "label selectors are ignored",
        case: "kubernetes/creation-triggers-pod",
        spoil: Spoil::Kube(|asked| asked.path = asked.path.replace("labelSelector", "ignored"), |_, _| {}),
        says: ", and not exactly one",
    },
    Defect {
        name: "a list of another kind",
        case: "kubernetes/creation-triggers-pod",
        spoil: cluster_answers(|answer, _| {
            answer.body = answer.text().replace("\"PodList\"", "\"List\"").into_bytes();
        }),
        says: "list pods",
    },
    Defect {
        name: "a list without a version",
        case: "kubernetes/cancellation-and-cleanup",
        spoil: Spoil::Kube(
            |_| {},
            |answer, _| {
                let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                if body["items"].is_array() {
                    body["metadata"] = json!({});
                    answer.body = body.to_string().into_bytes();
                }
            },
        ),
        says: "the list has no metadata.resourceVersion",
    },
    Defect {
        name: "no memory is requested",
        case: "kubernetes/resource-allocation",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                let requests = pod["spec"]["containers"][0]["resources"]["requests"].as_object_mut();
                requests.map(|requests| requests.remove("memory"));
            })(one)
        }),
        says: "the requests of the pod",
    },
    Defect {
        name: "a quantity that is none",
        case: "kubernetes/resource-allocation",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("32 GB"))(one)
        }),
        says: "memory \"32 GB\" is no quantity",
    },
    Defect {
        name: "the limit is below the request",
        case: "kubernetes/resource-allocation",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] = json!("1500m"))(one)
        }),
        says: "the limits of the pod",
    },
    Defect {
        name: "the cleanup pod takes a share",
        case: "kubernetes/resource-allocation",
        spoil: Spoil::Objects(|one| {
            object(one, "Pod", |pod| {
                if !streams(pod) {
                    let share = json!({"nvidia.com/gpu.shared": "1"});
                    pod["spec"]["containers"][0]["resources"]["limits"] = share;
                }
            })
        }),
        says: "nvidia.com/gpu.shared among the limits of the cleanup pod",
    },
    Defect {
        name: "another targetPort",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| service(|one| one["spec"]["ports"][0]["targetPort"] = json!(8080))(one)),
        says: "port, nodePort, targetPort and protocol of the Service",
    },
    Defect {
        name: "another nodePort",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| service(|one| one["spec"]["ports"][0]["nodePort"] = json!(30_001))(one)),
        says: "port, nodePort, targetPort and protocol of the Service",
    },
    Defect {
        name: "a Service of another type",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| service(|one| one["spec"]["type"] = json!("ClusterIP"))(one)),
        says: "the type of the Service",
    },
    Defect {
        name: "a Service picks no pod",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| service(|one| one["spec"]["selector"]["app"] = json!("grpc-job"))(one)),
        says: "the selector of the Service",
    },
    Defect {
        name: "the container listens elsewhere",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| {
            pod(|pod| pod["spec"]["containers"][0]["ports"][0]["containerPort"] = json!(50_051))(one)
        }),
        says: "the ports of the container",
    },
    Defect {
        name: "Endpoints without an address",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| {
            object(one, "Endpoints", |one| {
                one.as_object_mut().map(|one| one.remove("subsets"));
            })
        }),
        says: "the addresses of the Endpoints",
    },
    Defect {
        name: "Endpoints of another pod",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| {
            object(one, "Endpoints", |one| {
                one["subsets"][0]["addresses"][0]["targetRef"]["name"] = json!("x")
            })
        }),
        says: "the addresses of the Endpoints",
    },
    Defect {
        name: "no Endpoints",
        case: "kubernetes/port-exposure",
        spoil: Spoil::Objects(|one| if one["kind"] == "Endpoints" { Vec::new() } else { vec![one] }),
        says: "INV-OBJECTS",
    },
    Defect {
        name: "the ports of Services do not follow slots",
        case: "kubernetes/slots-and-sequence",
        spoil: Spoil::Objects(|one| {
            let second = one["metadata"]["name"] == "grpc-service-2-2";
            object(one, "Service", |one| {
                if second {
                    one["spec"]["ports"][0]["nodePort"] = json!(4711)
                }
            })
        }),
        says: "the nodePorts of the Service of job 2-2",
    },
    Defect {
        name: "a pod without a share runs",
        case: "kubernetes/gpu-pending",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                if pod["status"]["phase"] == "Pending" {
                    pod["status"]["phase"] = json!("Running")
                }
            })(one)
        }),
        says: "the phase of pod",
    },
    Defect {
        name: "a pod that waits does not say why",
        case: "kubernetes/gpu-pending",
        spoil: Spoil::Objects(|one| silent(one, "FailedScheduling")),
        says: "the event of a pod without a share: None",
    },
    Defect {
        name: "nodes offer more shares than there are",
        case: "kubernetes/gpu-pending",
        spoil: Spoil::Objects(|one| {
            object(one, "Node", |node| node["status"]["allocatable"]["nvidia.com/gpu.shared"] = json!("8"))
        }),
        says: "the shares that all nodes have together",
    },
    Defect {
        name: "times are shifted by a zone",
        case: "kubernetes/no-time-offset",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                let words = pod["spec"]["containers"][0]["command"].as_array_mut();
                let place = |words: &[Value]| words.iter().position(|word| word == "--time-start");
                if let Some((words, place)) =
                    words.and_then(|words| place(words).map(|place| (words, place + 1)))
                {
                    let time: i64 =
                        words[place].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
                    words[place] = json!((time + 7200).to_string());
                }
            })(one)
        }),
        says: "the command of a historic job",
    },
    Defect {
        name: "a live job has a time",
        case: "kubernetes/no-time-offset",
        spoil: Spoil::Objects(|one| {
            pod(|pod| {
                if !pod.to_string().contains("--time-start") {
                    command(pod, "\"--roi\"", "\"--time-start\",\"0\",\"--roi\"");
                }
            })(one)
        }),
        says: "the command of a live job",
    },
];
