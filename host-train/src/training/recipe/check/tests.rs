use super::*;

#[test]
fn a_recipe_that_trains_nothing_is_refused_with_the_field() {
    type Change = fn(&mut Recipe);
    let changes: [(Change, &str); 15] = [
        (|recipe| recipe.epochs = 0, "epochs is 0"),
        (|recipe| recipe.batch = 0, "batch is 0"),
        (|recipe| recipe.batch = usize::MAX, "1 to 4096"),
        (
            |recipe| recipe.learning_rate = f64::NAN,
            "learning rate is NaN",
        ),
        (|recipe| recipe.learning_rate = -1.0, "learning rate is -1"),
        (|recipe| recipe.patience = Some(0), "patience is 0"),
        (|recipe| recipe.guide.layers = 0, "guide.layers is 0"),
        (
            |recipe| recipe.augmentation.splice = -0.5,
            "augmentation.splice is -0.5",
        ),
        (|recipe| recipe.average = 1.0, "average is 1"),
        (|recipe| recipe.longest = 0, "longest is 0"),
        (
            |recipe| recipe.weight_decay = f32::NAN,
            "weight_decay is NaN",
        ),
        (|recipe| recipe.epsilon = 0.0, "epsilon is 0"),
        (
            |recipe| recipe.augmentation.noise_snr_db = [30.0, 3.0],
            "augmentation.noise_snr_db is 30 to 3",
        ),
        (
            |recipe| recipe.augmentation.speed = 1.5,
            "augmentation.speed is 1.5",
        ),
        (|recipe| recipe.shape.width = 0, "shape.width is 0"),
    ];
    for recipe in [Recipe::default(), Recipe::classic(), Recipe::windowed()] {
        recipe.check().unwrap();
    }
    for (change, part) in changes {
        let mut recipe = Recipe::default();
        change(&mut recipe);
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_floor_is_for_log_mel_bands_alone_and_held_no_longer_than_an_answer_takes() {
    let given = |text: &str| {
        Recipe::default()
            .changed(&[format!("floor={text}")])
            .unwrap()
    };
    let good = r#"{"low_db": 35, "high_db": 60, "hold": 50, "release_db": 0.03}"#;
    given(good).check().unwrap();
    let mut mixed = given(good);
    mixed.features.push(Feature::Zcr);
    let windowed = Recipe {
        floor: mixed.floor,
        ..Recipe::windowed()
    };
    for (recipe, part) in [
        (mixed, "log_mel alone"),
        (windowed, "log_mel alone"),
        (given(&good.replace("50,", "51,")), "floor.hold is 51"),
        (given(&good.replace("35", "-1")), "floor.low_db is -1"),
    ] {
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn strides_that_would_leave_rows_or_frames_unread_are_refused() {
    for (change, part) in [
        ("shape.width=1500", "1 to 1024"),
        ("shape.stem=[4,8]", "odd rows"),
        ("shape.stem=[7,0]", "up to 32 frames"),
        ("shape.row_strides=[8,2,2,2]", "within the stem's kernel"),
        ("shape.row_strides=[4,2,2,3]", "three of 1 or 2"),
        ("shape.time_strides=[0,2,1,1]", "1 to 8"),
        ("shape.time_strides=[4,4,1,1]", "three of 1 or 2"),
    ] {
        let recipe = Recipe::default().changed(&[change.to_owned()]).unwrap();
        let error = recipe.check().unwrap_err().to_string();
        let field = change.split('=').next().unwrap();
        assert!(error.contains(field) && error.contains(part), "{error}");
    }
}

#[test]
fn the_classic_network_is_refused_what_it_cannot_be_trained_with() {
    let windowed = [
        ("guide.encoder=\"ab\"", "guide.encoder is ab"),
        ("scaling=running-mean", "must be fixed"),
        ("window.frames=0", "window.frames is 0"),
        ("window.frames=30", "window.shortest is 31"),
        ("classic.kernel=4", "classic.kernel is 4"),
        ("classic.filters=[64,0,8]", "classic.filters is 0"),
        ("classic.pool=65", "classic.pool is 65"),
    ];
    for (change, part) in windowed {
        let recipe = Recipe::windowed().changed(&[change.to_owned()]).unwrap();
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    for (change, part) in [
        ("window.seconds=1e12", "window.seconds is 1000000000000"),
        ("window.offset_seconds=-1", "window.offset_seconds is -1"),
    ] {
        let recipe = Recipe::classic().changed(&[change.to_owned()]).unwrap();
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let louder = ["wave.share=0.5".to_owned()];
    Recipe::windowed()
        .changed(&louder)
        .unwrap()
        .check()
        .unwrap();
    let error = Recipe::classic().changed(&louder).unwrap().check();
    assert!(error.unwrap_err().to_string().contains("wave.share is 0.5"));
}

#[test]
fn a_guide_is_listened_to_in_whole_tokens_at_its_own_rate_only() {
    let guided = Recipe::default().changed(&["guide.encoder=\"ab\"".to_owned()]);
    let guided = guided.unwrap();
    guided.check().unwrap();
    for (change, message) in [
        ("guide.strength=101", "guide.strength is 101"),
        ("guide.layers=0", "guide.layers is 0"),
        ("frontend.sample_rate=8000", "must be 16000, with a guide"),
        ("frontend.hop_length=100", "8 frames of 100"),
        ("frontend.hop_length=4000", "8 frames of 4000"),
        ("shape.time_strides=[1,1,1,1]", "1 frames of 160"),
        (
            "shape.time_strides=[4294967296,4294967296,1,1]",
            "time_strides",
        ),
    ] {
        let recipe = guided.changed(&[change.to_owned()]).unwrap();
        let error = recipe.check().unwrap_err().to_string();
        assert!(error.contains(message), "{change}: {error}");
    }
}
