//! Changes to a graph as a hostile file might have them.

use undertone_model::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto};

use crate::support::{Random, attribute};

/// Puts some convolution into groups, mostly with weights that suit where that can be, and says which.
pub(crate) fn into_groups(graph: &mut GraphProto, random: &mut Random) -> String {
    let convolutions: Vec<usize> = (0..graph.node.len())
        .filter(|&at| graph.node[at].op_type == "Conv")
        .collect();
    let at = *random.pick(&convolutions);
    let groups = *random.pick(&[2, 4, 8, 32]);
    let weight = stored_weight(graph, at);
    let node = &mut graph.node[at];
    node.attribute.retain(|attribute| attribute.name != "group");
    node.attribute.push(attribute("group", &[groups as i64]));
    let name = node.name.clone();
    let Some(tensor) = weight.map(|at| &mut graph.initializer[at]) else {
        return format!("{name} in {groups} groups");
    };
    let [outputs, inputs] = [0, 1].map(|axis| tensor.dims[axis].max(1) as usize);
    if random.below(8) == 0 || inputs % groups != 0 || outputs % groups != 0 {
        return format!("{name} in {groups} groups");
    }
    let row = tensor.raw_data.len() / outputs;
    let rows = tensor.raw_data.chunks_exact(row);
    tensor.raw_data = rows
        .flat_map(|row| row[..row.len() / groups].to_vec())
        .collect();
    tensor.dims[1] = (inputs / groups) as i64;
    format!("{name} in {groups} groups, with its weights")
}

/// Where the weights of a convolution are stored, perhaps as integers.
fn stored_weight(graph: &GraphProto, at: usize) -> Option<usize> {
    let mut name = &graph.node[at].input[1];
    if let Some(integers) = graph.node.iter().find(|one| &one.output[0] == name) {
        name = &integers.input[0];
    }
    graph.initializer.iter().position(|one| &one.name == name)
}

/// Changes one thing in a graph, and says what.
pub(crate) fn rearrange(graph: &mut GraphProto, random: &mut Random) -> String {
    let nodes = graph.node.len();
    let at = random.below(nodes);
    let other = random.below(nodes);
    let name = graph.node[at].name.clone();
    match random.below(14) {
        0 => {
            graph.node.swap(at, other);
            format!("swap {name} and {other}")
        }
        1 => {
            bypass(graph, at);
            format!("bypass {name}")
        }
        2 => {
            let mut copy: NodeProto = graph.node[at].clone();
            copy.name = format!("copy_of_{name}_{}", random.next());
            copy.output = vec![copy.name.clone()];
            copy.input[0].clone_from(&name);
            read_instead(graph, at, &name, &copy.name);
            graph.node.insert(at + 1, copy);
            format!("repeat {name}")
        }
        3 => {
            let count = graph.node[at].attribute.len();
            if count > 0 {
                graph.node[at].attribute.remove(random.below(count));
            }
            format!("less attributes of {name}")
        }
        4 | 5 => {
            let node = random.below(nodes);
            let Some(attribute) = with_attributes(graph, node) else {
                return "nothing".into();
            };
            let value = *random.pick(&[0, 1, 2, 3, 4, 7, 16, 64, 1_000, 4_096, -1, i64::MAX]);
            match attribute.ints.len() {
                0 => attribute.i = value,
                count => attribute.ints[random.below(count)] = value,
            }
            format!("{} = {value}", attribute.name)
        }
        6 => {
            let Some(attribute) = with_attributes(graph, at) else {
                return "nothing".into();
            };
            match random.below(3) {
                0 => attribute.ints.push(1),
                1 => drop(attribute.ints.pop()),
                _ => attribute.ints.reverse(),
            }
            format!("{:?}", attribute.ints)
        }
        7 => {
            let source = graph.node[other.min(at)].name.clone();
            let count = graph.node[at].input.len();
            graph.node[at].input[random.below(count)].clone_from(&source);
            format!("{name} reads {source}")
        }
        8 => {
            let constant = graph.initializer[random.below(graph.initializer.len())]
                .name
                .clone();
            let count = graph.node[at].input.len();
            graph.node[at].input[random.below(count)].clone_from(&constant);
            format!("{name} reads {constant}")
        }
        9 => {
            graph.node[at].input.reverse();
            format!("inputs of {name} turned round")
        }
        10 => {
            let operator = graph.node[other].op_type.clone();
            let attribute = graph.node[other].attribute.clone();
            graph.node[at].attribute = attribute;
            format!(
                "{name} is {}",
                std::mem::replace(&mut graph.node[at].op_type, operator)
            )
        }
        11 => {
            let operators = [
                "Exp", "Tanh", "Relu", "Sqrt", "Flatten", "Identity", "Div", "Mul",
            ];
            graph.node[at].op_type = (*random.pick(&operators)).into();
            graph.node[at].attribute.clear();
            graph.node[at].input.truncate(2);
            format!("{name} is {}", graph.node[at].op_type)
        }
        12 => {
            let count = graph.initializer.len();
            let tensor = &mut graph.initializer[random.below(count)];
            reshape(tensor, random);
            format!("{} has the shape {:?}", tensor.name, tensor.dims)
        }
        _ => {
            let count = graph.initializer.len();
            let (a, b) = (random.below(count), random.below(count));
            let name = graph.initializer[a].name.clone();
            graph.initializer[a].name = graph.initializer[b].name.clone();
            graph.initializer[b].name = name;
            format!("tensors {a} and {b} swap names")
        }
    }
}

/// Removes a node; what read it reads its first input.
fn bypass(graph: &mut GraphProto, at: usize) {
    let node = graph.node.remove(at);
    if let Some(input) = node.input.first() {
        read_instead(graph, at, &node.name, input);
    }
}

fn read_instead(graph: &mut GraphProto, after: usize, old: &str, new: &str) {
    for node in &mut graph.node[after..] {
        for input in node.input.iter_mut().filter(|input| *input == old) {
            new.clone_into(input);
        }
    }
}

/// Some attribute of the first node from `at` on that has one.
fn with_attributes(graph: &mut GraphProto, at: usize) -> Option<&mut AttributeProto> {
    let node = graph.node[at..]
        .iter_mut()
        .find(|node| !node.attribute.is_empty())?;
    let count = node.attribute.len();
    node.attribute.get_mut(at % count)
}

/// Another shape for the same number of values.
fn reshape(tensor: &mut TensorProto, random: &mut Random) {
    match random.below(4) {
        0 => tensor.dims.reverse(),
        1 => tensor.dims.push(1),
        2 => tensor.dims.insert(0, 1),
        _ => tensor.dims = vec![tensor.dims.iter().product()],
    }
}
