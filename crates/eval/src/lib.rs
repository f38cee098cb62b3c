//! k-means, V-measure, AMI, ARI, fidelity, bootstrap intervals, latency.
